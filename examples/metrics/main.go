// Metrics exports metrics of uploads for Prometheus.
package main

func main() {}
