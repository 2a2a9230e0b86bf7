package otelmedia

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/alimedia/alimedia-go/upload"
)

func operation(r upload.Request) attribute.KeyValue {
	return attribute.String("alimedia.oss.operation", r.Operation)
}

func (t *Telemetry) requestStart(ctx context.Context, r upload.Request) context.Context {
	attrs := []attribute.KeyValue{system, semconv.RPCMethod("oss/" + r.Operation), attribute.Int("alimedia.attempt", r.Attempt)}
	if r.Part > 0 {
		attrs = append(attrs, attribute.Int("alimedia.part.number", r.Part))
	}
	if r.Size > 0 {
		attrs = append(attrs, semconv.HTTPRequestBodySize(int(r.Size)), attribute.Float64("alimedia.queue_time", r.Queued.Seconds()))
		t.queueTime.Record(ctx, r.Queued.Seconds(), t.labels("", operation(r)))
	}
	if r.File != "" {
		attrs = append(attrs, semconv.FilePath(r.File))
	}
	ctx, _ = t.tracer.Start(ctx, "oss/"+r.Operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	t.requestsActive.Add(ctx, 1, t.labels("", operation(r)))
	return ctx
}

func (t *Telemetry) requestEnd(ctx context.Context, r upload.Request, e upload.RequestEnd) {
	t.requestsActive.Add(ctx, -1, t.labels("", operation(r)))
	t.requestDuration.Record(ctx, e.Duration.Seconds(), t.labels(e.Code, operation(r)))
	var attrs []attribute.KeyValue
	if r.Size > 0 {
		t.sent.Add(ctx, e.Sent, t.labels("", operation(r)))
		attrs = append(attrs, attribute.Int64("alimedia.request.sent", e.Sent))
	}
	t.end(trace.SpanFromContext(ctx), e.Code, attrs...)
}

// retry is an event of the upload: the span of the request has ended.
func (t *Telemetry) retry(ctx context.Context, r upload.Request, again upload.RequestRetry) {
	reason := attribute.String("alimedia.retry.reason", string(again.Reason))
	t.requestRetries.Add(ctx, 1, t.labels(again.Code, operation(r), reason))
	attrs := append(t.failure(again.Code), operation(r), reason,
		attribute.Int("alimedia.attempt", r.Attempt), attribute.Float64("alimedia.retry.delay", again.Delay.Seconds()))
	if r.Part > 0 {
		attrs = append(attrs, attribute.Int("alimedia.part.number", r.Part))
	}
	t.of(ctx).span.AddEvent("retry", trace.WithAttributes(attrs...))
}

func (t *Telemetry) refresh(ctx context.Context, r upload.Refresh) {
	reason := attribute.String("alimedia.refresh.reason", string(r.Reason))
	t.refreshes.Add(ctx, 1, t.labels(r.Code, reason))
	t.of(ctx).span.AddEvent("refresh", trace.WithAttributes(append(t.failure(r.Code), reason,
		attribute.Float64("alimedia.refresh.duration", r.Duration.Seconds()))...))
}
