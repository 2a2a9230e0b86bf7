package otelmedia

import (
	"context"
	"net"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/alimedia/alimedia-go"
)

// Calls returns the Observer for [alimedia.Config]. A call is one span, with an
// event for each retry.
func (t *Telemetry) Calls() *alimedia.Observer {
	return &alimedia.Observer{CallStart: t.callStart, CallRetry: t.callRetry, CallEnd: t.callEnd}
}

// method is the name of an operation with its product, such as
// "vod/GetVideoInfo".
func (t *Telemetry) method(c alimedia.Call) attribute.KeyValue {
	return semconv.RPCMethod(t.methods.bounded(c.Product + "/" + c.Action))
}

func (t *Telemetry) callStart(ctx context.Context, c alimedia.Call) context.Context {
	method := t.method(c)
	attrs := []attribute.KeyValue{
		system, method, attribute.String("alimedia.api.version", c.Version),
	}
	if host, port, err := net.SplitHostPort(c.Host); err == nil {
		number, _ := strconv.Atoi(port)
		attrs = append(attrs, semconv.ServerAddress(host), semconv.ServerPort(number))
	} else {
		attrs = append(attrs, semconv.ServerAddress(c.Host))
	}
	if c.Region != "" {
		attrs = append(attrs, semconv.CloudRegion(c.Region))
	}
	ctx, _ = t.tracer.Start(ctx, method.Value.AsString(), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	return ctx
}

func (t *Telemetry) callRetry(ctx context.Context, c alimedia.Call, r alimedia.CallRetry) {
	reason := attribute.String("alimedia.retry.reason", string(r.Reason))
	t.callRetries.Add(ctx, 1, t.labels(r.Code, t.method(c), reason))
	trace.SpanFromContext(ctx).AddEvent("retry", trace.WithAttributes(append(t.failure(r.Code),
		reason, attribute.Int("alimedia.attempt", r.Attempt), attribute.Float64("alimedia.retry.delay", r.Delay.Seconds()))...))
}

func (t *Telemetry) callEnd(ctx context.Context, c alimedia.Call, e alimedia.CallEnd) {
	t.callDuration.Float64Histogram.Record(ctx, e.Duration.Seconds(), t.labels(e.Code, system, t.method(c)))
	attrs := []attribute.KeyValue{attribute.Int("alimedia.attempts", e.Attempts)}
	if e.StatusCode != 0 {
		attrs = append(attrs, semconv.HTTPResponseStatusCode(e.StatusCode))
	}
	if e.RequestId != "" {
		attrs = append(attrs, attribute.String("alimedia.request_id", e.RequestId))
	}
	t.end(trace.SpanFromContext(ctx), e.Code, attrs...)
}
