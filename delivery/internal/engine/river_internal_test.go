package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// table is jobs with their attempts, and what is said of them.
type table struct {
	riverdriver.Executor
	attempts map[int64]int
	said     []int64
	err      error
}

func (q *table) JobGetAvailable(context.Context, *riverdriver.JobGetAvailableParams) (rows []*rivertype.JobRow, err error) {
	for id := range q.attempts {
		q.attempts[id]++
	}
	return q.rows(), nil
}

func (q *table) JobGetByIDMany(context.Context, *riverdriver.JobGetByIDManyParams) ([]*rivertype.JobRow, error) {
	return q.rows(), nil
}

func (q *table) rows() (rows []*rivertype.JobRow) {
	for id, attempt := range q.attempts {
		rows = append(rows, &rivertype.JobRow{ID: id, Attempt: attempt})
	}
	return rows
}

func (q *table) JobSetStateIfRunningMany(
	_ context.Context, p *riverdriver.JobSetStateIfRunningManyParams,
) ([]*rivertype.JobRow, error) {
	if q.err == nil {
		q.said = append(q.said, p.ID...)
	}
	return nil, q.err
}

// Of four jobs one is taken over, one gone, and one completed: only of the other one
// the queue has to hear. Nothing of a job is kept once it has.
func TestExecutor(t *testing.T) {
	ctx := t.Context()
	q := &table{attempts: map[int64]int{1: 0, 2: 4, 3: 0, 4: 0}}
	e := executor{q, &hands{jobs: map[int64]*hand{}}}
	say := func(ids ...int64) error {
		n := len(ids)
		_, err := e.JobSetStateIfRunningMany(ctx, &riverdriver.JobSetStateIfRunningManyParams{
			ID: ids, Attempt: make([]*int, n), ErrData: make([][]byte, n), FinalizedAt: make([]*time.Time, n),
			MetadataDoMerge: make([]bool, n), MetadataUpdates: make([][]byte, n), ScheduledAt: make([]*time.Time, n),
			State: make([]rivertype.JobState, n),
		})
		return err
	}
	_, err := e.JobGetAvailable(ctx, nil)
	require.NoError(t, err)
	q.attempts[2]++
	delete(q.attempts, 3)
	e.hands.completed([]int64{4, 5})

	q.err = errors.New("no answer")
	require.ErrorIs(t, say(1, 2, 3, 4), q.err)
	assert.Len(t, e.hands.jobs, 4, "it is tried again")
	q.err = nil
	require.NoError(t, say(1, 2, 3, 4))
	assert.Equal(t, []int64{1}, q.said)
	assert.Empty(t, e.hands.jobs)
	require.NoError(t, say(5))
	assert.Equal(t, []int64{1, 5}, q.said, "what this process has not fetched is the queue's own matter")
}

// A job that is worked once more is not forgotten for what was said before.
func TestHands_again(t *testing.T) {
	h := hands{jobs: map[int64]*hand{}}
	rows := []*rivertype.JobRow{{ID: 1, Attempt: 1}}
	h.fetched(rows)
	before := h.of([]int64{1})
	h.fetched(rows)
	h.let(before)
	assert.Len(t, h.jobs, 1)
	h.let(h.of([]int64{1}))
	assert.Empty(t, h.jobs)
}
