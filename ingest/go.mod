module github.com/alimedia/alimedia-go/ingest

go 1.26.0
