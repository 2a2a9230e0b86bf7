package otelmedia

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/alimedia/alimedia-go"
)

const scope = "github.com/alimedia/alimedia-go/otelmedia"

// Telemetry records uploads and calls. It is safe for concurrent use. One is
// enough for a process.
type Telemetry struct {
	tracer trace.Tracer
	instruments
	codes, methods, statuses names
}

// Option changes a [Telemetry].
type Option func(*settings)

type settings struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
}

// WithTracerProvider sets where spans go. The default is the global provider of
// package otel.
func WithTracerProvider(p trace.TracerProvider) Option { return func(s *settings) { s.tracers = p } }

// WithMeterProvider sets where metrics go. The default is the global provider of
// package otel.
func WithMeterProvider(p metric.MeterProvider) Option { return func(s *settings) { s.meters = p } }

// New returns a Telemetry. An error means that the meter provider refuses an
// instrument.
func New(opts ...Option) (*Telemetry, error) {
	s := settings{otel.GetTracerProvider(), otel.GetMeterProvider()}
	for _, opt := range opts {
		opt(&s)
	}
	t := &Telemetry{
		tracer: s.tracers.Tracer(scope, trace.WithInstrumentationVersion(alimedia.Version), trace.WithSchemaURL(semconv.SchemaURL)),
		codes:  names{most: 200}, methods: names{most: 1000}, statuses: names{most: 50},
	}
	meter := s.meters.Meter(scope, metric.WithInstrumentationVersion(alimedia.Version), metric.WithSchemaURL(semconv.SchemaURL))
	if err := t.instruments.create(meter); err != nil {
		return nil, err
	}
	return t, nil
}

// system is what all operations of Alibaba Cloud have in common.
var system = semconv.RPCSystemNameKey.String("alibaba_cloud")

// failure returns the attribute of a code, none for success.
func (t *Telemetry) failure(code string) []attribute.KeyValue {
	if code == "" {
		return nil
	}
	return []attribute.KeyValue{semconv.ErrorTypeKey.String(t.codes.bounded(code))}
}

// labels are the attributes of a measurement.
func (t *Telemetry) labels(code string, attrs ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(append(attrs, t.failure(code)...)...))
}

// end ends a span. An error is recorded by its code: its text may be foreign.
func (t *Telemetry) end(span trace.Span, code string, attrs ...attribute.KeyValue) {
	if code != "" {
		attrs = append(attrs, t.failure(code)...)
		span.SetStatus(codes.Error, t.codes.bounded(code))
	}
	span.SetAttributes(attrs...)
	span.End()
}
