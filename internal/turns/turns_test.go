package turns

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// since returns how long a function takes.
func since(f func()) time.Duration {
	begin := time.Now()
	f()
	return time.Since(begin)
}

func TestWhoSavedGoesOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		assert.Zero(t, since(func() { turns.Saved(t.Context(), "a", false) }))
		assert.Empty(t, turns.queues)
	})
}

// Those who were late go on in the order in which they came, each when the one
// before has saved; those of another session do not wait for them.
func TestOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		var order []int
		for i := range 5 {
			go func() {
				turns.Saved(t.Context(), "a", true)
				order = append(order, i)
			}()
			synctest.Wait()
		}
		assert.Equal(t, []int{0}, order, "nobody was before the first")
		assert.Zero(t, since(func() { turns.Saved(t.Context(), "b", true) }))
		for n := 2; n <= 5; n++ {
			turns.Saved(t.Context(), "a", false)
			synctest.Wait()
			assert.Len(t, order, n)
		}
		assert.Equal(t, []int{0, 1, 2, 3, 4}, order)
		turns.Saved(t.Context(), "a", false)
		turns.Saved(t.Context(), "b", false)
		assert.Empty(t, turns.queues, "no session is kept in memory")
	})
}

// One who does not come back keeps nobody for longer than his turn.
func TestATurnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		turns.Saved(t.Context(), "a", true)
		for range 3 {
			assert.Equal(t, turnLength, since(func() { turns.Saved(t.Context(), "a", true) }))
		}
		time.Sleep(turnLength)
		synctest.Wait()
		assert.Empty(t, turns.queues)
	})
}

// Nobody waits for longer than a second, however many are before him.
func TestTheLongestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		var all sync.WaitGroup
		turns.Saved(t.Context(), "a", true)
		for range 100 {
			all.Go(func() {
				assert.LessOrEqual(t, since(func() { turns.Saved(t.Context(), "a", true) }), longestWait)
			})
		}
		all.Wait()
		time.Sleep(turnLength)
		synctest.Wait()
		assert.Empty(t, turns.queues)
	})
}

// Whose context ends waits no longer, and is in nobody's way.
func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		turns.Saved(t.Context(), "a", true)
		ctx, cancel := context.WithTimeout(t.Context(), turnLength/2)
		defer cancel()
		assert.Equal(t, turnLength/2, since(func() { turns.Saved(ctx, "a", true) }))
		assert.Equal(t, turnLength/2, since(func() { turns.Saved(t.Context(), "a", true) }))
		time.Sleep(turnLength)
		synctest.Wait()
		assert.Empty(t, turns.queues)
	})
}

// Under -race: many at once.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				for n := range 20 {
					turns.Saved(t.Context(), fmt.Sprint(i%3), (i+n)%2 == 0)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Empty(t, turns.queues)
	})
}
