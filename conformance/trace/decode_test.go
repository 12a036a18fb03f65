package trace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/session"
)

// usual are lines as most traces have them, each with whether the quick way
// reads it.
var usual = map[string]bool{
	``: true,
	at(0, `"session":"s1","command":"observe","resource_id":"r1","status":"done"`):                                                    true,
	at(0, `"session":"s1","command":"observe","resource_id":"r1","status":"done","as_of":"2025-09-22T16:30:00+02:00","refused":true`): true,
	at(0, `"session":"s1","command":"observe","resource_id":"r1","status":"finished"`):                                                false,
	at(0, `"session":"s1","command":"observe","resource_id":"r\u0031","status":"done"`):                                               false,
	at(0, `"session":"s1","command":"transition","resource_id":"r1","event":"done","refused":false`):                                  true,
	at(0, `"session":"s1","command":"resolve","resource_id":"r1","reason":"seen","by":"Ada","refused":"RSL-2"`):                       true,
	at(0, `"session":"s1","command":"link","inputs":{"a":[1,2]},"resource":{"id":"r1","type":"signature_request","status":"draft"}`):  true,
	at(0, `"session":"s1","command":"link","inputs":[],"resource":{"id":"r1","type":"signature_request","status":"draft"}`):           false,
	at(0, `"session":"s1","command":"link","inputs_digest":"`+strings.Repeat("0a", 32)+`","previous_attempt_id":"r0","resource":{"id":"r1","type":"signature_request","status":"draft","workspace_id":"w1","created_at":"2025-09-22T14:30:00Z","as_of":"2025-09-22T14:30:00Z"}`): true,
	at(0, `"session":"s1","command":"create","id":"s1","name":"n","template_id":"t1","workspace_id":"w1","default_workspace_id":"w2"`):                                                                                                                                           true,
	at(0, `"session":"s1","command":"create","name":"n",`+theTemplate):                                                                  false, // once
	at(0, webhook(0, "signature_request.done", `{"id":"r1","status":"done","signers":[{"name":"J\u00f6rg \"x\""},null,true,-1.5e+3]}`)): true,
	at(0, webhook(0, "verification.company.done", `{"verification":{"id":"r1","status":"verified"}}`)):                                  true,
	at(0, webhook(0, "verification.company.done", `{"verification":"r1","id":"r2","status":"failed"}`)):                                 false,
	at(0, webhook(0, "", `{"signer":{}}`)):                                                                   false,
	at(0, webhook(0, "signer.notified", `{"signer":{}}`)):                                                    true,
	at(0, `"session":"s1","seen":{"status":"done","groups":{"company_verification":"done"},"resources":{}}`): true,
	at(0, `"session":"s1","seen":{"action_groups":[{"type":"company_verification"}],"id":"s1"}`):             false,
	at(0, `"session":"s1","announced":"workflow_session.started"`):                                           true,
	at(0, `"session":"s1","announced":"workflow_action_group.done","group_type":"company_verification"`):     true,
	at(0, theTemplate): false,
}

// What is usual is read the quick way.
func TestDecode_Quick(t *testing.T) {
	for line, want := range usual {
		assert.Equal(t, want, new(decoder).quick([]byte(line), new(entry)), line)
	}
	assert.True(t, new(decoder).quick([]byte(" \t\r"), new(entry)))
	// The second create from a template is quick.
	d := new(decoder)
	line := []byte(at(0, `"session":"s1","command":"create","name":"n",`+theTemplate))
	var first, second entry
	d.decode(line, &first)
	require.True(t, d.quick(line, &second))
	assert.Equal(t, first, second)
}

// FuzzDecode: what the quick way takes, the thorough one reads in the same way.
// It never takes what package json does not.
func FuzzDecode(f *testing.F) {
	for line := range usual {
		f.Add([]byte(line))
	}
	for _, line := range scene() {
		f.Add([]byte(line))
	}
	for _, tt := range fullLines {
		for _, path := range pathsOf([]byte(tt.line), nil) {
			f.Add(without(f, tt.line, path))
		}
	}
	d := new(decoder)
	f.Fuzz(func(t *testing.T, line []byte) {
		var quick, thorough entry
		d.pairs = d.pairs[:0]
		if !d.quick(line, &quick) {
			d.decode(line, new(entry)) // without a panic
			return
		}
		if len(bytes.TrimSpace(line)) == 0 {
			assert.Equal(t, lineBlank, quick.kind)
			return
		}
		require.True(t, json.Valid(line))
		d.thorough(line, &thorough)
		assert.Equal(t, shown(&thorough), shown(&quick))
	})
}

// shown shows all of an entry, whether its bytes are nil or empty.
func shown(e *entry) string {
	pairs := func(list []pair) string {
		var b strings.Builder
		for _, p := range list {
			fmt.Fprintf(&b, "%q=%q ", p.name, p.value)
		}
		return b.String()
	}
	o := &e.observe
	return fmt.Sprintf("%d %q %s %q|%#v %s|%q %v %q %v %q %s|%q %v %s %s %v|%v %v %v", e.kind, e.session, stamp(e.at), e.problem,
		e.command, commandText(e.command.value), o.event, o.moves, o.resource, o.status, o.text, stamp(o.asOf),
		e.seen.status, e.seen.status == nil, pairs(e.seen.groups), pairs(e.seen.resources), e.seen.document,
		e.owed, e.told, e.fault)
}

func stamp(t time.Time) string { return t.Format(time.RFC3339Nano) }

func commandText(c session.Command) string {
	if c == nil {
		return ""
	}
	text, err := session.MarshalCommand(c)
	return fmt.Sprint(string(text), err)
}

// The scanner takes JSON and nothing else.
func TestScanner_Value(t *testing.T) {
	for _, text := range []string{
		`0`, `-0`, `12`, `-1.5`, `1e9`, `1E+9`, `2e-10`, `0.5`, `true`, `false`, `null`, `""`, `"x"`, `"\u00fFx\n\\\/"`,
		`[]`, `[1]`, `[1,[2],{}]`, `{}`, `{"a":1}`, `{"a" : [ { "b" : null } ] , "" : "" }`, ` [ ] `,
		`01`, `-`, `1.`, `.5`, `1e`, `1e+`, `+1`, `tru`, `nul`, `"`, `"\x"`, `"\u00g0"`, `"\u0"`, `"` + "\n" + `"`, `[`, `[1`, `[1,`, `[,]`, `[1,]`,
		`{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`, `{1:1}`, `]`, `}`, ``, `x`, `1 2`, `[1 2]`, `{"a":1 "b":2}`, `"\`,
	} {
		s := scanner{data: []byte(text)}
		_, ok := s.value()
		assert.Equal(t, json.Valid([]byte(text)), ok && s.atEnd(), text)
	}
	deep := scanner{data: []byte(strings.Repeat("[", 10*maxDepth) + strings.Repeat("]", 10*maxDepth))}
	_, ok := deep.value()
	assert.False(t, ok, "that is left to package json")
}

// Lines are the same however they are read.
func TestLineReader(t *testing.T) {
	const maxLine = 5
	tests := map[string]struct{ text, want string }{
		"nothing":                       {"", ""},
		"one line":                      {"a\n", "1:a "},
		"without an end":                {"a\nb", "1:a 2:b "},
		"blank lines":                   {"\n\na", "1: 2: 3:a "},
		"carriage returns":              {"a\r\n\r\nb\r\n", "1:a\r 2:\r 3:b\r "},
		"as long as may be":             {"12345\nb\n", "1:12345 2:b "},
		"too long":                      {"123456\nb\n", "1:! 2:b "},
		"much too long":                 {strings.Repeat("x", 10*batchSize) + "\nb\n", "1:! 2:b "},
		"too long, twice":               {strings.Repeat("x", 100) + "\n" + strings.Repeat("x", 100) + "\nb", "1:! 2:! 3:b "},
		"too long without an end":       {"a\n123456", "1:a 2:! "},
		"as long as may be, no end":     {"a\n12345", "1:a 2:12345 "},
		"much too long without an end":  {"a\n" + strings.Repeat("x", 10*batchSize), "1:a 2:! "},
		"too long, and a blank line":    {"123456\n\n", "1:! 2: "},
		"too long, and ends as it does": {"1234567890\n", "1:! "},
	}
	readers := map[string]func(io.Reader) io.Reader{
		"whole":         func(r io.Reader) io.Reader { return r },
		"byte by byte":  iotest.OneByteReader,
		"in halves":     iotest.HalfReader,
		"with its end":  iotest.DataErrReader,
		"with time-out": func(r io.Reader) io.Reader { return &slow{r: r} },
	}
	for name, tt := range tests {
		for how, reader := range readers {
			t.Run(name+" "+how, func(t *testing.T) {
				assert.Equal(t, tt.want, linesOf(t, reader(strings.NewReader(tt.text)), maxLine))
			})
		}
	}
}

// slow reads nothing every other time.
type slow struct {
	r    io.Reader
	idle bool
}

func (s *slow) Read(b []byte) (int, error) {
	if s.idle = !s.idle; s.idle {
		return 0, nil
	}
	return s.r.Read(b)
}

func linesOf(t *testing.T, r io.Reader, maxLine int) string {
	l := &lineReader{r: r, max: maxLine}
	var b batch
	var text strings.Builder
	for b.err == nil {
		l.fill(&b)
		for _, s := range b.lines {
			line := strings.TrimSuffix(string(b.buffer[s.from:s.to]), "\n")
			if s.tooLong {
				line = "!"
			}
			fmt.Fprintf(&text, "%d:%s ", s.number, line)
		}
		assert.LessOrEqual(t, cap(b.buffer), 20*batchSize)
	}
	require.ErrorIs(t, b.err, io.EOF)
	return text.String()
}

// A reader that never reads anything is no endless loop.
func TestLineReader_NoProgress(t *testing.T) {
	_, err := Check(never{}, Options{}, func(Finding) error { return nil })
	require.ErrorIs(t, err, io.ErrNoProgress)
}

type never struct{}

func (never) Read([]byte) (int, error) { return 0, nil }

// A line that is too long is told, and the check goes on.
func TestCheck_LongLine(t *testing.T) {
	got := told(t, Options{MaxLine: 100}, `{"at":"`+strings.Repeat("x", 1<<20)+`"}`, at(0, `"session":"s9","seen":{}`))
	assert.Equal(t, []string{
		"line 1: unreadable: it has more than 100 bytes",
		"line 2: session s9: session (SES-1): expected none of this id, seen one",
	}, got)
}

// A spill holds what a map does.
func TestSpill(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := newSpill(dir)
		s.bits = 1 // so that it grows
		want := map[string]string{}
		key := rapid.OneOf(rapid.StringMatching(`[a-c]{0,2}`), rapid.StringN(0, 1000, -1))
		for range rapid.IntRange(0, 60).Draw(t, "number") {
			k := key.Draw(t, "key")
			if rapid.Bool().Draw(t, "put") {
				v := strings.Repeat(rapid.StringN(0, 3, -1).Draw(t, "value"), rapid.IntRange(0, 400).Draw(t, "times"))
				_, where, err := s.locate([]byte(k))
				require.NoError(t, err)
				require.NoError(t, s.rewrite(where, []byte(k), []byte(v)))
				want[k] = v
			}
			for k, v := range want {
				got, found, err := s.get([]byte(k))
				require.NoError(t, err)
				require.True(t, found)
				require.Equal(t, v, string(got))
			}
			_, known := want[k]
			_, found, err := s.get([]byte(k))
			require.NoError(t, err)
			require.Equal(t, known, found)
		}
		require.Equal(t, int64(len(want)), s.used)
		require.NoError(t, s.close())
	})
	assertEmpty(t, dir)
}

// A spill of many keys.
func TestSpill_Large(t *testing.T) {
	dir := t.TempDir()
	s := newSpill(dir)
	const n = 50_000
	for i := range n {
		require.NoError(t, s.put(fmt.Appendf(nil, "key %d", i), fmt.Appendf(nil, "value %d", i)))
	}
	for i := range n {
		value, found, err := s.get(fmt.Appendf(nil, "key %d", i))
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, fmt.Sprintf("value %d", i), string(value))
		_, found, err = s.get(fmt.Appendf(nil, "no key %d", i))
		require.NoError(t, err)
		require.False(t, found)
	}
	require.NoError(t, s.close())
	assertEmpty(t, dir)
}

// Temporary files are gone while they are in use, where the system can do that,
// and in any case at the end, also of a check that fails.
func TestCheck_TemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	w := newWriter(&b, 2)
	w.write(2000, 10, 50)
	b.WriteString("x\n")
	_, err := Check(&b, Options{MaxSessions: 1, TempDir: dir, Announcements: true}, func(f Finding) error {
		if f.Kind == KindUnreadable {
			return os.ErrDeadlineExceeded
		}
		return nil
	})
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assertEmpty(t, dir)

	f, err := newTempFile(dir)
	require.NoError(t, err)
	name := f.Name()
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	f.stays = true
	require.NoError(t, f.close())
	assert.NoFileExists(t, name)
}

// A folder that is not there is an error only if it is needed.
func TestCheck_NoTempDir(t *testing.T) {
	o := Options{TempDir: filepath.Join(t.TempDir(), "none")}
	assert.Empty(t, told(t, o, scene()...))
	o.MaxSessions = 1
	text := strings.Join(append(scene(), at(6, `"session":"s2","command":"create","name":"n","workspace_id":"w1",`+theTemplate)), "\n")
	_, err := Check(strings.NewReader(text), o, func(Finding) error { return nil })
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "trace: temporary file: ")
}

// What was damaged on the disk is an error, not a finding.
func TestCheck_Damaged(t *testing.T) {
	c := newChecker(Options{MaxSessions: 1, TempDir: t.TempDir()}.withDefaults(), func(Finding) error { return nil })
	require.NoError(t, c.run(strings.NewReader(strings.Join(scene(), "\n"))))
	require.NoError(t, c.sessions.evict(c.sessions.oldest))
	// One of 1<<39 Actions, none of which is there.
	endless := "\x00\x01\x02s1\x01n\x02t1\x02w1\x02\x02\x01\x01\x80\x80\x80\x80\x80\x10"
	for _, value := range []string{endless, "", "\x01", "\x00", "\x00\x00{", "\x00\x01", "\x00\x01\x01a"} {
		require.NoError(t, c.sessions.spill.put([]byte("ss1"), []byte(value)))
		_, err := c.sessions.get([]byte("s1"))
		require.ErrorIs(t, err, errDamaged)
	}
	require.NoError(t, c.sessions.spill.put([]byte("rr1"), []byte("s2")))
	_, err := c.sessions.owner([]byte("r1"))
	require.ErrorIs(t, err, errDamaged)
	require.NoError(t, c.close())
}
