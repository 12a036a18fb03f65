package delivery_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/webhookpolicy"
)

// What is published arrives, on both databases, with retries that say which they
// are.
func TestDeliver(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		r := receive(t, func(w http.ResponseWriter, _ *http.Request, h hit) {
			if number, _ := strconv.Atoi(h.Number); number < 2 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		policy := hasty()
		policy.MinEnded = 10_000 // it is not to be suspended
		d := h.open(t, delivery.Options{Policy: policy, Call: trusting(r)})
		subscribe(t, d, "s1", r.URL)
		start(t, d)
		const n = 20
		for i := range n {
			publish(t, d, fmt.Sprint("o", i))
		}
		r.wait(t, func(hits []hit) bool { return len(hits) == 3*n })
		var page delivery.Page
		until(t, "all are delivered", func() (ended bool) {
			var err error
			page, err = d.Deliveries(t.Context(), delivery.Query{States: []webhookpolicy.State{webhookpolicy.Delivered}})
			require.NoError(t, err)
			return len(page.Deliveries) == n
		})
		for _, p := range page.Deliveries {
			assert.Equal(t, 3, p.Number(), "calls of %s", p.EventID())
			story, err := d.Explain(t.Context(), p.EventID())
			require.NoError(t, err)
			require.Len(t, story.Calls, 3)
			for i, c := range story.Calls {
				assert.Equal(t, i, c.Number)
				assert.False(t, c.Ended.IsZero())
			}
		}
	})
}
