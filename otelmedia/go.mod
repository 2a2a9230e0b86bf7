module github.com/alimedia/alimedia-go/otelmedia

go 1.26.0
