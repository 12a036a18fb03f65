package caller_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sluicego/sluice/delivery/caller"
	wp "github.com/sluicego/sluice/webhookpolicy"
)

// TestRecord_String shows the lines of a log.
func TestRecord_String(t *testing.T) {
	began := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	outcome := func(o wp.Outcome) wp.Outcome {
		o.Began, o.Ended = began, began.Add(230*time.Millisecond)
		return o
	}
	remote := netip.MustParseAddrPort("203.0.113.7:443")
	hop := caller.Hop{Remote: remote, Status: 503, Protocol: "HTTP/2.0"}
	kept := caller.Hop{Remote: remote, Status: 302, Protocol: "HTTP/2.0", Reused: true}
	for want, r := range map[string]caller.Record{
		"answered 503 after 230 ms, over HTTP/2.0 from 203.0.113.7:443": {
			Outcome: outcome(wp.Outcome{Result: wp.Answered, Status: 503}), Hops: []caller.Hop{hop},
		},
		"answered 503 after 230 ms, over HTTP/2.0 from 203.0.113.7:443, redirects: 1": {
			Outcome: outcome(wp.Outcome{Result: wp.Answered, Status: 503}), Hops: []caller.Hop{kept, hop},
		},
		"timed out after 230 ms: no connection came about in time": {
			Outcome: outcome(wp.Outcome{Result: wp.TimedOut}), Hops: []caller.Hop{{}},
			Detail: "no connection came about in time",
		},
		"nothing has ended": {},
	} {
		assert.Equal(t, want, r.String())
		assert.Equal(t, max(len(r.Hops)-1, 0), r.Redirects())
	}
	assert.Equal(t, 1, caller.Record{Hops: []caller.Hop{kept, hop, {}}}.Connections())
	assert.Equal(t, "broken", caller.CutBroken.String())
	assert.Equal(t, "cut(9)", caller.Cut(9).String())
}
