package webhookpolicy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// WHK-8: what is kept of an endpoint has a bound that its documentation states.
func TestHealth_Size(t *testing.T) {
	assert.Equal(t, uintptr(360), unsafe.Sizeof(wp.Health{}))
}

// observed returns the health after so many retried calls succeeded, and then
// so many failed, at one time.
func observed(succeeded, failed int, at time.Time) wp.Health {
	var h wp.Health
	for range succeeded {
		h = h.Observe(defaults, after(failure), during(answer(200), at, 0))
	}
	for range failed {
		h = h.Observe(defaults, after(failure), during(failure, at, 0))
	}
	return h
}

// When an endpoint is suspended.
func TestHealth_Suspension(t *testing.T) {
	tests := []struct {
		name              string
		succeeded, failed int
		want              wp.Condition
	}{
		{"WHK-8: 19 that failed are too few", 0, 19, wp.Open},
		{"WHK-8: 20 that failed", 0, 20, wp.Suspended},
		{"WHK-8: half of 20", 10, 10, wp.Suspended},
		{"WHK-8: less than half of 20", 11, 9, wp.Open},
		{"WHK-8: half of more", 30, 30, wp.Suspended},
		{"WHK-8: less than half of more", 31, 30, wp.Open},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := observed(tt.succeeded, tt.failed, clock(0))
			assert.Equal(t, tt.want, h.Condition())
			ended, failed := h.Counts()
			assert.Equal(t, []int{tt.succeeded + tt.failed, tt.failed}, []int{ended, failed})
			if tt.want == wp.Open {
				assert.Zero(t, h.SuspendedAt())
				assert.Zero(t, h.ProbeAt())
				return
			}
			assert.Equal(t, clock(0), h.SuspendedAt())
			assert.Equal(t, clock(5*time.Minute), h.ProbeAt())
		})
	}
	t.Run("WHK-8: only retried calls count", func(t *testing.T) {
		h := observed(0, 19, clock(0))
		for range 100 {
			h = h.Observe(defaults, fresh, during(failure, clock(0), 0))
		}
		assert.Equal(t, observed(0, 19, clock(0)), h)
	})
	t.Run("WHK-8: what has not ended does not count", func(t *testing.T) {
		assert.Equal(t, observed(0, 19, clock(0)), observed(0, 19, clock(0)).Observe(defaults, after(failure), nothing))
	})
	t.Run("WHK-8: calls under way at that moment change nothing", func(t *testing.T) {
		h := suspended(clock(0))
		for _, o := range []wp.Outcome{failure, answer(200)} {
			assert.Equal(t, h, h.Observe(defaults, after(failure), during(o, clock(time.Second), 0)))
			assert.Equal(t, probing(clock(0), "x"), probing(clock(0), "x").Observe(defaults, after(failure), during(o, clock(time.Second), 0)))
		}
	})
}

// WHK-8: the window slides in sixty parts.
func TestHealth_Window(t *testing.T) {
	at := time.Date(2025, 9, 22, 14, 0, 0, 0, time.UTC) // the beginning of a part
	h := observed(10, 0, at.Add(59*time.Second)).Observe(defaults, after(failure), during(failure, at.Add(60*time.Second), 0))
	counts := func(later time.Duration) []int {
		ended, failed := h.Observe(defaults, after(failure), during(answer(200), at.Add(later), 0)).Counts()
		return []int{ended, failed}
	}
	assert.Equal(t, []int{12, 1}, counts(time.Hour-1), "within the hour all count")
	assert.Equal(t, []int{2, 1}, counts(time.Hour), "a part is forgotten as a whole")
	assert.Equal(t, []int{2, 1}, counts(time.Hour+time.Minute-1))
	assert.Equal(t, []int{1, 0}, counts(time.Hour+time.Minute))
	assert.Equal(t, []int{1, 0}, counts(1000*time.Hour))
	assert.Equal(t, []int{12, 1}, counts(time.Second), "told late, it counts where it belongs")
	assert.Equal(t, []int{12, 1}, counts(-58*time.Minute), "also if it is earlier than all")
	assert.Equal(t, []int{1, 0}, counts(-58*time.Minute-1), "what is too early tells of another clock")

	p := defaults
	p.Window = 2 * time.Hour
	ended, _ := h.Observe(p, after(failure), during(failure, at.Add(60*time.Second), 0)).Counts()
	assert.Equal(t, 1, ended, "parts of another length cannot be compared")

	h = observed(1, 0, time.Unix(0, 0))
	ended, _ = h.Observe(p, after(failure), during(failure, time.Unix(0, 0), 0)).Counts()
	assert.Equal(t, 1, ended, "nor when both have the same number")
	h = observed(1, 0, time.Unix(-60, 0)).Observe(defaults, after(failure), during(failure, time.Unix(-1, 0), 0))
	text, err := json.Marshal(h)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"newest":-1,"parts":[[0,2,1]]`, "it needs no epoch")

	unsound := wp.Policy{}
	h = well.Observe(unsound, after(failure), during(failure, at, 0))
	ended, _ = h.Counts()
	assert.Equal(t, 1, ended)
}

// WHK-8: a part counts up to a limit, and keeps the share of those.
func TestHealth_Full(t *testing.T) {
	p := defaults
	p.MinEnded = 1 << 30
	var h wp.Health
	d, o := after(failure), during(failure, clock(0), 0)
	for range 1<<16 + 5 {
		h = h.Observe(p, d, o)
	}
	ended, failed := h.Counts()
	assert.Equal(t, []int{1<<16 - 1, 1<<16 - 1}, []int{ended, failed})
}

// Probes of a suspended endpoint.
func TestHealth_Probe(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	probe := parked(fresh)
	t.Run("WHK-8: the first one after 5 min", func(t *testing.T) {
		h := suspended(clock(0))
		_, ok := h.Probe("8f14e45f", clock(5*minute-1))
		assert.False(t, ok)
		next, ok := h.Probe("8f14e45f", clock(5*minute))
		assert.True(t, ok)
		assert.Equal(t, wp.Probing, next.Condition())
		_, ok = well.Probe("8f14e45f", clock(0))
		assert.False(t, ok, "there is nothing to find out")
	})
	t.Run("WHK-8: one at a time", func(t *testing.T) {
		h := probing(clock(0), "8f14e45f")
		same, ok := h.Probe("another", clock(5*minute+1))
		assert.False(t, ok)
		assert.Equal(t, h, same)
	})
	t.Run("WHK-8: a failed one doubles the time, up to 6 h", func(t *testing.T) {
		h, now := suspended(clock(0)), clock(0)
		for _, wait := range []time.Duration{
			5 * minute, 10 * minute, 20 * minute, 40 * minute, 80 * minute, 160 * minute, 320 * minute, 6 * hour, 6 * hour,
		} {
			require.Equal(t, now.Add(wait), h.ProbeAt())
			var ok bool
			h, ok = h.Probe("8f14e45f", h.ProbeAt())
			require.True(t, ok)
			now = now.Add(wait).Add(10 * time.Second)
			h = h.Observe(defaults, probe, during(timeout, now, 0))
			require.Equal(t, wp.Suspended, h.Condition())
			require.Equal(t, clock(0), h.SuspendedAt(), "it is still the same suspension")
		}
	})
	t.Run("WHK-8: however long the time is", func(t *testing.T) {
		var h wp.Health
		require.NoError(t, json.Unmarshal([]byte(`{"condition":"probing","probe":"8f14e45f","wait":"2562047h47m16s",`+
			`"suspended_at":"2025-09-22T14:30:00Z","since":"2025-09-22T14:30:00Z"}`), &h))
		assert.Equal(t, clock(6*hour), h.Observe(defaults, probe, during(failure, clock(0), 0)).ProbeAt())
	})
	t.Run("WHK-8: a success releases and clears the window", func(t *testing.T) {
		h := probing(clock(0), "8f14e45f").Observe(defaults, probe, during(answer(301), clock(hour), 0))
		assert.Equal(t, wp.Open, h.Condition())
		assert.Equal(t, clock(hour), h.ReleasedAt())
		assert.Zero(t, h.SuspendedAt())
		assert.Zero(t, h.ProbeAt())
		ended, _ := h.Counts()
		assert.Zero(t, ended)
		assert.Equal(t, well.Release(clock(0)), well, "what is open is not released")

		again := h
		for range 20 {
			again = again.Observe(defaults, after(failure), during(failure, clock(2*hour), 0))
		}
		assert.Equal(t, clock(2*hour+5*minute), again.ProbeAt(), "the next suspension begins anew")
		assert.Equal(t, clock(hour), again.ReleasedAt())
	})
	t.Run("WHK-8: a release by the operator", func(t *testing.T) {
		for _, h := range []wp.Health{suspended(clock(0)), probing(clock(0), "8f14e45f")} {
			released := h.Release(clock(hour).In(time.FixedZone("", 60)))
			assert.Equal(t, wp.Open, released.Condition())
			assert.Equal(t, clock(hour), released.ReleasedAt())
			ended, _ := released.Counts()
			assert.Zero(t, ended)
			assert.Equal(t, released, released.Release(clock(2*hour)), "the drain does not begin again")
		}
	})
	t.Run("WHK-8: a probe that is never told of", func(t *testing.T) {
		h := probing(clock(0), "8f14e45f")
		assert.Equal(t, clock(10*minute), h.ProbeAt())
		h, ok := h.Probe("another", clock(10*minute))
		assert.True(t, ok)
		assert.Equal(t, h, h.Observe(defaults, probe, during(answer(200), clock(11*minute), 0)), "and comes too late")
	})
}

// WHK-8: a clock that was set back holds up a probe for no more than the time
// between two of them, however far away the last one seems.
func TestHealth_ProbeAfterStepBack(t *testing.T) {
	h := suspended(clock(100 * 24 * time.Hour))
	_, ok := h.Probe("8f14e45f", clock(0))
	assert.True(t, ok, "it cannot be earlier than the suspension")
	h = suspended(clock(time.Minute))
	_, ok = h.Probe("8f14e45f", clock(0))
	assert.False(t, ok, "the clocks of two hosts differ")
	_, ok = h.Probe("8f14e45f", clock(-4*time.Minute))
	assert.True(t, ok)
	_, ok = h.Probe("8f14e45f", clock(-4*time.Minute+1))
	assert.False(t, ok)
}

func TestHealth_JSON(t *testing.T) {
	text, err := json.Marshal(well)
	require.NoError(t, err)
	assert.Equal(t, `{"condition":"open"}`, string(text))

	h := observed(3, 1, clock(0)).Observe(defaults, after(failure), during(failure, clock(-2*time.Minute), 0))
	text, err = json.Marshal(h)
	require.NoError(t, err)
	newest := clock(0).Unix() / 60
	assert.Equal(t, fmt.Sprintf(`{"condition":"open","window":{"width_ms":60000,"newest":%d,"parts":[[0,4,1],[2,1,1]]}}`, newest), string(text))

	text, err = json.Marshal(probing(clock(0), "8f14e45f"))
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf(`{"condition":"probing","probe":"8f14e45f","suspended_at":"2025-09-22T14:30:00Z",`+
		`"since":"2025-09-22T14:35:00Z","wait":"5m0s","window":{"width_ms":60000,"newest":%d,"parts":[[0,20,20]]}}`, newest), string(text))
	var read wp.Health
	require.NoError(t, json.Unmarshal(text, &read))
	assert.Equal(t, probing(clock(0), "8f14e45f"), read)
}

// WHK-8: what no endpoint can have been through is refused.
func TestHealth_UnmarshalJSON(t *testing.T) {
	const since = `"suspended_at":"2025-09-22T14:30:00Z","since":"2025-09-22T14:35:00Z"`
	window := func(width, newest, parts string) string {
		return `{"condition":"open","window":{"width_ms":` + width + `,"newest":` + newest + `,"parts":[` + parts + `]}}`
	}
	const most = "9007199254740992"
	for _, text := range []string{
		`{}`,
		`{"condition":"suspended",` + since + `}`,
		`{"condition":"probing","wait":"1s","released_at":"2025-09-22T14:30:00Z",` + since + `}`,
		window("1", "0", ""), window(most, most, "[0,1,0]"), window("60000", "-"+most, "[59,65535,65535]"),
		window("60000", "7", "[0,2,1],[1,1,1],[59,1,0]"),
	} {
		var h wp.Health
		require.NoError(t, json.Unmarshal([]byte(text), &h), text)
	}
	unsound := map[string]string{
		`{"condition":"shut"}`: `unknown condition "shut"`,
		`{"state":"open"}`:     `unknown field "state"`,
		`{"condition":"suspended","since":"2025-09-22T14:30:00Z"}`:      "suspended_at, while it is suspended: the time is missing",
		`{"condition":"probing","suspended_at":"2025-09-22T14:30:00Z"}`: "since, while it is probing: the time is missing",
		`{"condition":"open",` + since + `}`:                            "suspended_at, while it is open",
		`{"since":"2025-09-22T14:30:00Z"}`:                              "since, while it is open",
		`{"released_at":"1969-12-31T23:59:59Z"}`:                        "released_at, while it is open: the time is outside",
		`{"condition":"suspended","probe":"x",` + since + `}`:           "it is suspended, and there is a probe",
		`{"probe":"x"}`: "it is open, and there is a probe",
		`{"wait":"1s"}`: "it is open, and waits 1s",
		`{"condition":"suspended","wait":"-1s",` + since + `}`: "it is suspended, and waits -1s",
		window("0", "0", ""):                          "width_ms or newest is out of range",
		window("9007199254740993", "0", ""):           "width_ms or newest is out of range",
		window("1", "9007199254740993", ""):           "width_ms or newest is out of range",
		window("1", "-9007199254740993", ""):          "width_ms or newest is out of range",
		window("1", "0", "[60,1,1]"):                  "parts[0] is [60 1 1]",
		window("1", "0", "[0,0,0]"):                   "parts[0] is [0 0 0]",
		window("1", "0", "[0,1,2]"):                   "parts[0] is [0 1 2]",
		window("1", "0", "[1,1,1],[1,1,1]"):           "parts[1] is [1 1 1]",
		window("1", "0", "[1,1,1],[0,1,1]"):           "parts[1] is [0 1 1]",
		window("1", "0", "[0,65536,1]"):               "cannot unmarshal",
		strings.TrimSuffix(window("1", "0", ""), "}"): "unexpected EOF",
	}
	for text, reason := range unsound {
		t.Run("WHK-8: "+text, func(t *testing.T) {
			h := suspended(clock(0))
			err := h.UnmarshalJSON([]byte(text))
			require.ErrorIs(t, err, wp.ErrDocument)
			require.ErrorContains(t, err, reason)
			assert.Equal(t, suspended(clock(0)), h, "it stays as it was")
		})
	}
}

// What is read is written as it was read, and goes on.
func FuzzHealth(f *testing.F) {
	for _, h := range []wp.Health{well, observed(3, 1, clock(0)), suspended(clock(0)), probing(clock(0), "8f14e45f"), suspended(clock(0)).Release(clock(time.Hour))} {
		text, err := json.Marshal(h)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(`{"window":{"width_ms":60000,"newest":29309190,"parts":[[0,65535,1],[59,65535,65535]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h := suspended(clock(0))
		if err := h.UnmarshalJSON(data); err != nil {
			require.ErrorIs(t, err, wp.ErrDocument)
			require.Equal(t, suspended(clock(0)), h)
			return
		}
		var again wp.Health
		require.NoError(t, reread(h, &again))
		require.Equal(t, h, again)
		ended, failed := h.Counts()
		require.GreaterOrEqual(t, failed, 0)
		require.GreaterOrEqual(t, ended, failed)
		// Whatever it is, enough failures suspend it, and a success releases it.
		for range defaults.MinEnded + ended {
			h = h.Observe(defaults, after(failure), during(failure, clock(0), 0))
		}
		require.NotEqual(t, wp.Open, h.Condition())
		h, ok := h.Probe("8f14e45f", h.ProbeAt())
		require.True(t, ok)
		h = h.Observe(defaults, parked(fresh), during(answer(200), clock(0), 0))
		require.Equal(t, wp.Open, h.Condition())
	})
}
