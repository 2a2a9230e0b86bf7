module github.com/alimedia/alimedia-go/cmd/alimedia

go 1.26.0
