package otelmedia

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0/rpcconv"
)

// instruments are the metrics, see the package's documentation.
type instruments struct {
	started, ended, bytes, resumed  metric.Int64Counter
	active, inFlight                metric.Int64UpDownCounter
	duration, stage                 metric.Float64Histogram
	requestDuration, queueTime      metric.Float64Histogram
	requestsActive                  metric.Int64UpDownCounter
	sent, requestRetries, refreshes metric.Int64Counter
	callDuration                    rpcconv.ClientCallDuration
	callRetries                     metric.Int64Counter
}

// Bounds of histograms in seconds: a part takes from milliseconds to minutes, an
// upload from a second to a day.
var (
	requestBounds = metric.WithExplicitBucketBoundaries(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
	uploadBounds  = metric.WithExplicitBucketBoundaries(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1800, 3600, 4*3600, 24*3600)
)

func (i *instruments) create(m metric.Meter) error {
	var all []error
	counter := func(name, unit, text string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
		all = append(all, err)
		return c
	}
	upDown := func(name, unit, text string) metric.Int64UpDownCounter {
		c, err := m.Int64UpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		all = append(all, err)
		return c
	}
	seconds := func(name, text string, bounds metric.HistogramOption) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text), bounds)
		all = append(all, err)
		return h
	}
	i.started = counter("alimedia.upload.started", "{upload}", "Uploads that began.")
	i.ended = counter("alimedia.upload.ended", "{upload}", "Uploads that ended.")
	i.active = upDown("alimedia.upload.active", "{upload}", "Uploads under way.")
	i.duration = seconds("alimedia.upload.duration", "Duration of uploads.", uploadBounds)
	i.stage = seconds("alimedia.upload.stage.duration", "Duration of the stages of uploads.", uploadBounds)
	i.bytes = counter("alimedia.upload.bytes", "By", "Bytes that OSS has confirmed.")
	i.resumed = counter("alimedia.upload.bytes.resumed", "By", "Bytes that an earlier run has sent.")
	i.inFlight = upDown("alimedia.upload.bytes.in_flight", "By", "Bytes that are sent and not confirmed.")
	i.requestDuration = seconds("alimedia.oss.request.duration", "Duration of requests to OSS.", requestBounds)
	i.queueTime = seconds("alimedia.oss.request.queue_time", "Wait of requests to OSS for their turn.", requestBounds)
	i.requestsActive = upDown("alimedia.oss.request.active", "{request}", "Requests to OSS under way.")
	i.sent = counter("alimedia.oss.request.sent", "By", "Bytes sent to OSS, those that were sent again included.")
	i.requestRetries = counter("alimedia.oss.request.retries", "{retry}", "Requests to OSS that were sent again.")
	i.refreshes = counter("alimedia.credential.refreshes", "{refresh}", "Refreshes of upload credentials.")
	i.callRetries = counter("alimedia.client.call.retries", "{retry}", "Attempts of calls that were followed by another one.")
	var err error
	i.callDuration, err = rpcconv.NewClientCallDuration(m)
	return errors.Join(append(all, err)...)
}
