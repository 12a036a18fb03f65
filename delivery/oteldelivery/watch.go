package oteldelivery

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"

	"github.com/sluicego/sluice/delivery"
)

// Source is what can be watched: a [*delivery.Deliverer].
type Source interface {
	Stats(ctx context.Context) (delivery.Stats, error)
}

// Watch has gauges tell how much there is to do, until stop is called. Each
// collection asks the source once.
func (b *Observer) Watch(source Source) (stop func() error, err error) {
	var problems []error
	gauge := func(name, unit, description string) metric.Int64Observable {
		g, err := b.meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
		problems = append(problems, err)
		return g
	}
	waiting := gauge("sluice.delivery.waiting", "{call}", "Calls of webhooks to come, also those that are due.")
	due := gauge("sluice.delivery.due", "{call}", "Calls of webhooks that are due, or under way.")
	parked := gauge("sluice.delivery.parked", "{delivery}", "Deliveries that wait for the release of their endpoint.")
	exhausted := gauge("sluice.delivery.exhausted", "{delivery}", "Deliveries that were given up.")
	suspended := gauge("sluice.delivery.suspended", "{endpoint}", "Endpoints that are not called.")
	age, err := b.meter.Float64ObservableGauge("sluice.delivery.oldest_due.age", metric.WithUnit("s"),
		metric.WithDescription("How long the call waits that has waited longest since it was due."))
	if err := errors.Join(append(problems, err)...); err != nil {
		return nil, err
	}
	registration, err := b.meter.RegisterCallback(func(ctx context.Context, told metric.Observer) error {
		s, err := source.Stats(ctx)
		if err != nil {
			return err
		}
		for g, n := range map[metric.Int64Observable]int{
			waiting: s.Waiting, due: s.Due, parked: s.Parked, exhausted: s.Exhausted, suspended: s.Suspended,
		} {
			told.ObserveInt64(g, int64(n))
		}
		oldest := 0.0
		if !s.OldestDue.IsZero() {
			oldest = max(b.o.Now().Sub(s.OldestDue), 0).Seconds()
		}
		told.ObserveFloat64(age, oldest)
		return nil
	}, waiting, due, parked, exhausted, suspended, age)
	if err != nil {
		return nil, err
	}
	return registration.Unregister, nil
}
