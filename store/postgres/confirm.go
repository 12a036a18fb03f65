package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sluicego/sluice/session"
)

// confirmWait is how long Confirm waits for a save that is still under way, in
// whole milliseconds, where statements have no time-out of their own.
const confirmWait = 10 * time.Second

// Confirm implements [session.Confirmer]: it waits for what is under way on the
// session, and looks for the mark of the save.
func (s *Store) Confirm(ctx context.Context, unknown *session.OutcomeError) (saved bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if mark, err := hex.DecodeString(unknown.Mark); err != nil || len(mark) != 16 {
		return false, fmt.Errorf("session %s: %q is no mark of this store", unknown.SessionID, unknown.Mark)
	}
	err = s.do(ctx, "look for the mark of session "+unknown.SessionID, func(ctx context.Context) error {
		// Each statement has to see what was committed before it.
		tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
		if err != nil {
			return err
		}
		defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing in it is to be kept
		if err := s.await(ctx, tx, unknown.SessionID); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT EXISTS (
			SELECT FROM sluice_events WHERE session_id = $1 AND version = $2 AND mark = $3::uuid)`,
			unknown.SessionID, int64(unknown.Version), unknown.Mark).Scan(&saved)
	})
	return saved && err == nil, err
}

// await waits for saves of a session that are under way: by the lock of its row,
// or, where there is none yet, by a creation that is taken back.
func (s *Store) await(ctx context.Context, tx pgx.Tx, id string) error {
	wait := confirmWait
	if s.timeout > 0 {
		wait = s.timeout
	}
	_, err := tx.Exec(ctx, `SELECT set_config('lock_timeout', $1, true)`, fmt.Sprint(max(1, wait.Milliseconds())))
	if err != nil {
		return err
	}
	var one int
	err = tx.QueryRow(ctx, `SELECT 1 FROM sluice_sessions WHERE id = $1 FOR UPDATE`, id).Scan(&one)
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO sluice_sessions (id, version, status, workspace_id, template_id, created_at, updated_at, snapshot)
		VALUES ($1, 0, '', '', '', 0, 0, '{}') ON CONFLICT (id) DO NOTHING`, id)
	return err
}
