package delivery_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/internal/engine"
)

// failing is a caller whose work fails, after something has happened.
type failing func()

func (f failing) Call(context.Context, caller.Request) (caller.Record, error) {
	f()
	panic("the work has failed")
}

// A process whose work fails has its job worked again; but not if that was taken
// over meanwhile, because then it is another process that makes the call. Otherwise
// one that was cut off for long would have calls made doubly when it is back.
func TestTakenOver(t *testing.T) {
	for name, tt := range map[string]struct{ meanwhile, state string }{
		"nothing has happened": {`SELECT 1`, "available"},
		"it was taken over":    {`UPDATE river_job SET attempt = attempt + 1`, "running"},
		"it is done":           {`DELETE FROM river_job`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, h house) {
				called := make(chan struct{})
				d := h.open(t, delivery.Options{Logger: slog.New(slog.DiscardHandler), Caller: failing(func() {
					h.exec(t, tt.meanwhile)
					close(called)
				})})
				subscribe(t, d, "s1", "https://example.com")
				publish(t, d, "o1")
				require.NoError(t, d.Start(t.Context()))
				<-called
				require.NoError(t, d.Stop(t.Context())) // says of all jobs how they ended
				state := ""
				require.NoError(t, h.queue.Query(t.Context(), func(scan engine.Scan) error { return scan(&state) },
					`SELECT state FROM river_job WHERE kind = 'sluice_call'`))
				require.Equal(t, tt.state, state)
			})
		})
	}
}
