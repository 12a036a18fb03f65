// Package failing runs checks that ought to fail: what shows that a test is not
// blind.
package failing

import (
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Recorder is a test that takes note of its failure. Its FailNow ends the
// goroutine, as that of any test does.
type Recorder struct {
	testing.TB // for its name

	mu     sync.Mutex
	failed bool
	log    strings.Builder
}

// Run runs a check, and returns how that went.
func Run(tb testing.TB, check func(*Recorder)) *Recorder {
	r := &Recorder{TB: tb}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(r)
	}()
	<-done
	return r
}

// Text returns what the check has said.
func (r *Recorder) Text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// Failed reports whether the check has failed.
func (r *Recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// Helper does nothing.
func (r *Recorder) Helper() {}

// Log takes down what the check says.
func (r *Recorder) Log(args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(&r.log, args...)
}

// Fail notes the failure.
func (r *Recorder) Fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

// FailNow notes the failure and ends the check.
func (r *Recorder) FailNow() {
	r.Fail()
	runtime.Goexit()
}

// Logf is Log with a format.
func (r *Recorder) Logf(format string, args ...any) { r.Log(fmt.Sprintf(format, args...)) }

// Error is Log and Fail.
func (r *Recorder) Error(args ...any) {
	r.Log(args...)
	r.Fail()
}

// Errorf is Error with a format.
func (r *Recorder) Errorf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }

// Fatal is Log and FailNow.
func (r *Recorder) Fatal(args ...any) {
	r.Log(args...)
	r.FailNow()
}

// Fatalf is Fatal with a format.
func (r *Recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

// Draw makes rapid draw the same in every run, for tests that count, until the
// test ends. A failure is left as it is, neither made smaller nor written down.
func Draw(t *testing.T, checks, steps int) {
	t.Helper()
	if testing.Short() {
		checks, steps = 5*checks, 2*steps // rapid divides by that
	}
	for name, value := range map[string]string{
		"seed": "1", "checks": strconv.Itoa(checks), "steps": strconv.Itoa(steps),
		"nofailfile": "true", "shrinktime": "0s",
	} {
		f := flag.Lookup("rapid." + name)
		if f == nil {
			t.Fatalf("there is no flag -rapid.%s", name)
		}
		before := f.Value.String()
		if err := f.Value.Set(value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Value.Set(before) }) // it was set to that
	}
}
