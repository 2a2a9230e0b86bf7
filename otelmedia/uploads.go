package otelmedia

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/alimedia/alimedia-go/upload"
)

// Uploads returns the Observer for [upload.Config] or [upload.WithObserver]. An
// upload is one span, and so is each of its requests to OSS.
func (t *Telemetry) Uploads() *upload.Observer {
	return &upload.Observer{
		UploadStart: t.uploadStart, UploadEnd: t.uploadEnd, Stage: t.enter, Asset: t.asset, Bytes: t.count,
		RequestStart: t.requestStart, RequestEnd: t.requestEnd, Retry: t.retry, Refresh: t.refresh, Poll: t.poll,
	}
}

// state is what is known of an upload under way. It is in its context.
type state struct {
	span     trace.Span
	target   attribute.KeyValue
	labels   metric.MeasurementOption // of the target
	inFlight atomic.Int64
}

// stateKey tells the states of several Telemetry apart.
type stateKey struct{ *Telemetry }

// of returns the state of the upload of ctx.
func (t *Telemetry) of(ctx context.Context) *state { return ctx.Value(stateKey{t}).(*state) }

func (t *Telemetry) uploadStart(ctx context.Context, u upload.UploadStart) context.Context {
	target := attribute.String("alimedia.upload.target", u.Target)
	s := &state{target: target, labels: metric.WithAttributeSet(attribute.NewSet(target))}
	name := "upload"
	if u.Target != "" {
		name += " " + u.Target
	}
	ctx, s.span = t.tracer.Start(ctx, name, trace.WithAttributes(target, attribute.String("alimedia.upload.source", u.Source)))
	t.started.Add(ctx, 1, s.labels)
	t.active.Add(ctx, 1, s.labels)
	return context.WithValue(ctx, stateKey{t}, s)
}

func (t *Telemetry) uploadEnd(ctx context.Context, _ upload.UploadStart, e upload.UploadEnd) {
	s := t.of(ctx)
	t.active.Add(ctx, -1, s.labels)
	t.inFlight.Add(ctx, -s.inFlight.Swap(0), s.labels) // of a request that was left to itself
	outcome := attribute.String("alimedia.upload.outcome", outcomeOf(e))
	t.ended.Add(ctx, 1, t.labels(e.Code, s.target, outcome))
	t.duration.Record(ctx, e.Duration.Seconds(), t.labels("", s.target, outcome))
	attrs := []attribute.KeyValue{
		outcome, attribute.String("alimedia.upload.stage", string(e.Stage)),
		attribute.Int64("alimedia.upload.size", e.Size), attribute.Int64("alimedia.upload.sent", e.Sent), attribute.Int64("alimedia.upload.resumed", e.Resumed),
	}
	if e.Name != "" {
		attrs = append(attrs, semconv.FileName(e.Name))
	}
	if e.MediaId != "" {
		attrs = append(attrs, attribute.String("alimedia.media_id", e.MediaId))
	}
	t.end(s.span, e.Code, attrs...)
}

func outcomeOf(e upload.UploadEnd) string {
	switch {
	case e.Err != nil:
		return "failed"
	case e.AlreadyUploaded:
		return "skipped"
	}
	return "done"
}

func (t *Telemetry) enter(ctx context.Context, e upload.StageEvent) {
	s := t.of(ctx)
	if e.Previous != "" {
		t.stage.Record(ctx, e.Duration.Seconds(), t.labels("", s.target, attribute.String("alimedia.upload.stage", string(e.Previous))))
	}
	s.span.AddEvent("stage", trace.WithAttributes(attribute.String("alimedia.upload.stage", string(e.Stage))))
}

func (t *Telemetry) asset(ctx context.Context, mediaID string) {
	t.of(ctx).span.SetAttributes(attribute.String("alimedia.media_id", mediaID))
}

func (t *Telemetry) count(ctx context.Context, b upload.Bytes) {
	s := t.of(ctx)
	if moved := b.Sent - b.Confirmed; moved != 0 {
		s.inFlight.Add(moved)
		t.inFlight.Add(ctx, moved, s.labels)
	}
	if b.Confirmed > 0 {
		t.bytes.Add(ctx, b.Confirmed, s.labels)
	}
	if b.Resumed > 0 {
		t.resumed.Add(ctx, b.Resumed, s.labels)
	}
}

func (t *Telemetry) poll(ctx context.Context, p upload.Poll) {
	t.of(ctx).span.AddEvent("poll", trace.WithAttributes(append(t.failure(p.Code), attribute.String("alimedia.status", t.statuses.bounded(p.Status)))...))
}
