// Package otelmedia records traces and metrics of uploads and calls with OpenTelemetry.
package otelmedia
