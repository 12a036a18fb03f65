package delivery

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/url"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/sluicego/sluice/webhookpolicy"
)

// Observer is told of calls. It must not block, and is called from many goroutines
// at once. Package oteldelivery has one for OpenTelemetry.
type Observer interface {
	// CallBegins is told of a call before it is made. The context that it returns
	// is the call's, and the function is told how the call ended.
	CallBegins(ctx context.Context, c CallInfo) (context.Context, func(CallEnd))
}

// CallInfo is a call that is to be made.
type CallInfo struct {
	EventID        string
	EventName      webhookpolicy.EventName
	SubscriptionID string
	Scheme         string // of the endpoint: "https", or "http" where that is allowed
	Host           string // of the endpoint, with a port if it names one, without what may be secret in it
	Number         int    // what the call says of itself (WHK-6)
	Probe          bool
	Due            time.Time // how late the call is can be told by that
}

// CallEnd is how a call ended.
type CallEnd struct {
	Outcome  webhookpolicy.Outcome  // zero if the call was broken off
	Decision webhookpolicy.Decision // what follows; zero if it could not be written down
	Err      error                  // of the deliverer, not of the endpoint
}

// nobody is an Observer.
type nobody struct{}

func (nobody) CallBegins(ctx context.Context, _ CallInfo) (context.Context, func(CallEnd)) {
	return ctx, func(CallEnd) {}
}

// hostOf returns the host of an endpoint.
func hostOf(endpoint string) string {
	_, host := originOf(endpoint)
	return host
}

// originOf returns the scheme and the host of an endpoint.
func originOf(endpoint string) (scheme, host string) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", ""
	}
	return u.Scheme, u.Host
}

// infoOf returns what is told of a call that begins.
func infoOf(b *beginning) CallInfo {
	scheme, host := originOf(b.request.Endpoint)
	return CallInfo{
		EventID: b.args.EventID, EventName: b.event, SubscriptionID: b.args.SubscriptionID,
		Scheme: scheme, Host: host, Number: b.args.Number, Probe: b.probe, Due: b.delivery.Due(),
	}
}

// line is what is to be logged once the transaction is kept that it tells of.
type line struct {
	level slog.Level
	text  string
	args  []any
}

func (d *Deliverer) log(lines []line) {
	for _, l := range lines {
		d.o.Logger.Log(context.Background(), l.level, l.text, l.args...)
	}
}

func (w *writing) log(level slog.Level, text string, args ...any) {
	w.lines = append(w.lines, line{level, text, args})
}

// uncalled logs what was decided about a delivery whose call fell due and is not
// made.
func (w *writing) uncalled(s *standing, decision webhookpolicy.Decision) {
	level, text := slog.LevelDebug, "parked"
	switch decision.Verdict {
	case webhookpolicy.Park:
	case webhookpolicy.Cancel:
		level, text = slog.LevelInfo, "canceled"
	default:
		return
	}
	w.log(level, text,
		"event_id", s.EventID, "event_name", s.EventName, "subscription_id", s.SubscriptionID, "host", hostOf(s.Endpoint),
		"number", s.Number, "epoch", s.Epoch, "verdict", decision.Verdict.String())
}

// failures logs what fails of the deliverer itself, of which River tells at a
// level that does not pass.
type failures struct{ logger *slog.Logger }

// HandleError implements [river.ErrorHandler].
func (f failures) HandleError(_ context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	args := []any{"job", job.Kind}
	var a callArgs
	if job.Kind == a.Kind() && json.Unmarshal(job.EncodedArgs, &a) == nil {
		args = append(args, "event_id", a.EventID, "subscription_id", a.SubscriptionID, "number", a.Number, "epoch", a.Epoch)
	}
	var e struct{ Endpoint string }
	if json.Unmarshal(job.EncodedArgs, &e) == nil && e.Endpoint != "" {
		args = append(args, "host", hostOf(e.Endpoint))
	}
	f.logger.Error("a job has failed, and is tried again", append(args, "error", err)...)
	return nil
}

// HandlePanic implements [river.ErrorHandler]. River tells of it.
func (failures) HandlePanic(context.Context, *rivertype.JobRow, any, string) *river.ErrorHandlerResult {
	return nil
}

// logEnd logs how a call ended.
func (d *Deliverer) logEnd(c CallInfo, e *ending) {
	o := e.record.Outcome
	args := []any{
		"event_id", c.EventID, "event_name", string(c.EventName), "subscription_id", c.SubscriptionID, "host", c.Host,
		"number", c.Number, "epoch", e.args.Epoch, "result", o.Result.String(), "status", o.Status, "took", o.Took(),
		"verdict", e.decision.Verdict.String(),
	}
	level, text := slog.LevelDebug, "called"
	switch {
	case e.stale:
		text = "called, and another process was faster"
	case e.decision.Verdict == webhookpolicy.Done:
		level, text = slog.LevelInfo, "delivered"
	case e.decision.Verdict == webhookpolicy.Exhaust:
		level, text = slog.LevelWarn, "given up"
	case e.decision.Verdict == webhookpolicy.Cancel:
		level, text = slog.LevelInfo, "canceled"
	}
	d.o.Logger.Log(context.Background(), level, text, args...)
}
