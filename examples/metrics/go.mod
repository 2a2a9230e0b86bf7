module github.com/alimedia/alimedia-go/examples/metrics

go 1.26.0
