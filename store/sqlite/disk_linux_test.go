package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
)

// ownDisk runs the test once more in a process that can mount, with mounts that
// nobody else sees and that end with it. There it reports the directory where a
// disk is to be mounted.
func ownDisk(t *testing.T) (dir string, here bool) {
	t.Helper()
	if role() != "" {
		return os.Getenv(pathVariable), true
	}
	cmd := child(t, "disk", t.TempDir())
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	output, err := cmd.CombinedOutput()
	if err != nil && len(output) == 0 {
		t.Skipf("NOT TESTED: this machine lets nobody mount a disk of its own: %v", err)
	}
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), "--- PASS")
	return "", false
}

// mount mounts a disk in memory of so many bytes.
func mount(t *testing.T, dir string, flags uintptr, size int) {
	t.Helper()
	require.NoError(t, syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", flags, fmt.Sprintf("size=%d", size)))
}

// fill saves sessions until one is refused, and returns those that were not.
func fill(t *testing.T, store session.Store, prefix string) (saved []session.Session, err error) {
	t.Helper()
	for i := range 10_000 {
		id := fmt.Sprintf("%s%d", prefix, i)
		c := create(id)
		c.Name = strings.Repeat("é", session.MaxName)
		s, events := apply(t, session.Session{}, c, link(id+".1", action.Failed))
		if err := store.Save(context.Background(), s, events); err != nil {
			return saved, err
		}
		saved = append(saved, s)
	}
	return saved, nil
}

// A full disk is said to be full. What was saved is there and whole, can be read,
// and stays; when there is room, the same store goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir, here := ownDisk(t)
	if !here {
		return
	}
	mount(t, dir, 0, 1<<20)
	path, ballast := filepath.Join(dir, "sluice.db"), filepath.Join(dir, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 128<<10), 0o600))
	store := open(t, path)
	execute(t, store.Writer(), "CREATE TABLE jobs (job TEXT)")

	saved, err := fill(t, store, "a")
	require.ErrorIs(t, err, sqlite.ErrFull)
	require.NotErrorIs(t, err, session.ErrUnknownOutcome)
	require.NotEmpty(t, saved)
	t.Logf("after %d sessions: %v", len(saved), err)
	whole := func(store *sqlite.Store, want int) {
		t.Helper()
		assert.Equal(t, want, verified(t, store))
		assert.Equal(t, 2*want, count(t, store.Readers(), "SELECT count(*) FROM sluice_outbox"))
		assert.Equal(t, want, count(t, store.Readers(), "SELECT count(*) FROM sluice_resources"))
	}
	whole(store, len(saved))
	_, err = store.Load(t.Context(), fmt.Sprintf("a%d", len(saved)))
	require.ErrorIs(t, err, session.ErrNotFound)

	// In a transaction of the host's own nothing is kept either.
	err = store.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx, joined *sqlite.Joined) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO jobs VALUES ('call')")
		require.NoError(t, err)
		_, err = fill(t, joined, "b")
		return err
	})
	require.ErrorIs(t, err, sqlite.ErrFull)
	assert.Zero(t, count(t, store.Readers(), "SELECT count(*) FROM jobs"))
	whole(store, len(saved))
	_, err = sqlite.Open(t.Context(), filepath.Join(dir, "other.db"), sqlite.Options{})
	require.Error(t, err)
	require.ErrorIs(t, err, sqlite.ErrFull)

	require.NoError(t, os.Remove(ballast))
	put(t, store, "room")
	whole2 := verified(t, store)
	assert.Equal(t, len(saved)+1, whole2)
	intact(t, store.Writer())
	require.NoError(t, store.Close())
	assert.Equal(t, len(saved)+1, verified(t, open(t, path)))
}

// A disk that is mounted read-only is said to be so, and its file is not touched.
func TestReadOnlyDisk(t *testing.T) {
	dir, here := ownDisk(t)
	if !here {
		return
	}
	mount(t, dir, 0, 4<<20)
	path := filepath.Join(dir, "sluice.db")
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	put(t, store, "a")
	require.NoError(t, store.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)

	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	_, err = sqlite.Open(t.Context(), path, sqlite.Options{})
	require.ErrorIs(t, err, sqlite.ErrReadOnly)
	t.Log(err)
	_, err = sqlite.Open(t.Context(), filepath.Join(dir, "other.db"), sqlite.Options{})
	require.ErrorIs(t, err, sqlite.ErrReadOnly)

	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, ""))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	assert.Equal(t, 1, verified(t, open(t, path)))
}

// So is a directory in which nobody may write, and a file that nobody may write
// to. The process gives up its rights first if it may do everything.
func TestReadOnlyDirectory(t *testing.T) {
	if role() == "" {
		dir := t.TempDir()
		path := filepath.Join(dir, "sluice.db")
		store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.NoError(t, err)
		put(t, store, "a")
		require.NoError(t, store.Close())
		require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
		require.NoError(t, os.Chmod(path, 0o666))
		require.NoError(t, os.Chmod(dir, 0o555))
		passes(t, child(t, "directory", path))
		require.NoError(t, os.Chmod(path, 0o444))
		require.NoError(t, os.Chmod(dir, 0o777))
		passes(t, child(t, "file", path))
		// Nothing was left behind that stands in the way later.
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, files, 1)
		require.NoError(t, os.Chmod(path, 0o600))
		assert.Equal(t, 1, verified(t, open(t, path)))
		return
	}
	path := os.Getenv(pathVariable)
	if os.Getuid() == 0 {
		const nobody = 65534
		require.NoError(t, syscall.Setgid(nobody))
		require.NoError(t, syscall.Setuid(nobody))
	}
	paths := []string{path}
	if role() == "directory" {
		paths = append(paths, filepath.Join(filepath.Dir(path), "other.db"))
	}
	for _, path := range paths {
		_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.ErrorIs(t, err, sqlite.ErrReadOnly)
		t.Log(err)
	}
}

// An error of output while a commit is written leaves its outcome open. Here the
// log may not grow any more: that save is not found later, and when the log may
// grow again the command is applied once.
func TestCommitFails(t *testing.T) {
	if role() == "" {
		passes(t, child(t, "limited", file(t)))
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	path := os.Getenv(pathVariable)
	store := open(t, path)
	s := put(t, store, "a")
	next, events := apply(t, s, link("a.1", action.Failed))

	log, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	limit(t, uint64(log.Size())+100)
	err = store.Save(t.Context(), next, events)
	var unknown *session.OutcomeError
	require.ErrorAs(t, err, &unknown)
	t.Log(err)
	saved, err := store.Confirm(t.Context(), unknown)
	require.NoError(t, err)
	assert.False(t, saved)
	_, _, err = session.Update(t.Context(), store, "a", link("a.1", action.Failed), noon)
	require.ErrorIs(t, err, session.ErrUnknownOutcome)
	loaded, err := store.Load(t.Context(), "a")
	require.NoError(t, err)
	assert.True(t, loaded.Equal(s))

	limit(t, unlimited(t))
	update(t, store, "a", link("a.1", action.Failed))
	assert.Equal(t, 1, verified(t, store))
	assert.Equal(t, 2, count(t, store.Readers(), "SELECT count(*) FROM sluice_outbox"))
	intact(t, store.Writer())
}

// limit sets how long the files are that this process may write.
func limit(t *testing.T, bytes uint64) {
	t.Helper()
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: unlimited(t)}))
}

func unlimited(t *testing.T) uint64 {
	t.Helper()
	var l syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l))
	return l.Max
}
