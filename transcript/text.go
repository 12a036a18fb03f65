package transcript

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Where things stand in a line. Columns are characters: a terminal that shows
// some wider, as it does with Chinese, needs more of them.
const (
	width    = 80
	margin   = 4  // of everything but headings; marks stand in it
	labelled = 16 // where the text behind a label begins
)

// style is the parameter of an ANSI sequence, "" for none.
type style string

// The eight colours of every terminal, whose user has chosen what they look
// like. None is needed to understand the text.
const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// span is a part of a line in one style. Its text is visible and holds no line
// break.
type span struct {
	text  string
	style style
}

// page is the lines of one call of a Printer. Everything is laid out before
// colours come in, so that both forms have the same text.
type page struct {
	lines [][]span
}

// add adds a line, without the spaces at its end.
func (pg *page) add(spans ...span) {
	for n := len(spans); n > 0; n-- {
		last := &spans[n-1]
		if last.text = strings.TrimRight(last.text, " "); last.text != "" {
			break
		}
		spans = spans[:n-1]
	}
	pg.lines = append(pg.lines, spans)
}

// blank adds an empty line, unless there is one or nothing before.
func (pg *page) blank() {
	if n := len(pg.lines); n > 0 && len(pg.lines[n-1]) > 0 {
		pg.add()
	}
}

// item adds a text behind a label. Every text that follows a label begins in
// the same column, so that the labels can be skimmed. A label of "" goes on with
// the one before.
func (pg *page) item(label string, s style, text string) {
	label = strings.Repeat(" ", margin) + label
	if text == "" {
		text = "(none)"
	}
	for _, part := range wrap(text, width-labelled) {
		pg.add(span{pad(label, labelled), s}, span{part, plain})
		label = ""
	}
}

// render writes the page. Spaces around a text get no style, which some
// terminals would show.
func (pg *page) render(color bool) string {
	var b strings.Builder
	for _, spans := range pg.lines {
		for _, s := range spans {
			core := strings.Trim(s.text, " ")
			if !color || s.style == plain || core == "" {
				b.WriteString(s.text)
				continue
			}
			before, after, _ := strings.Cut(s.text, core)
			fmt.Fprintf(&b, "%s\x1b[%sm%s\x1b[0m%s", before, s.style, core, after)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// text is a line without its styles.
func text(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.text)
	}
	return b.String()
}

// pad fills a text up to a column.
func pad(text string, column int) string {
	return text + strings.Repeat(" ", max(0, column-utf8.RuneCountInString(text)))
}

func rule(text string) string { return strings.Repeat("-", utf8.RuneCountInString(text)) }

// unindent makes one line of a paragraph.
func unindent(text string) string { return strings.Join(strings.Fields(text), " ") }

// wrap breaks a text into lines of at most so many characters: at spaces, and
// inside a word that is longer than a line. There is one line at least. Spaces
// that follow each other are kept, since ids may differ in them.
func wrap(text string, limit int) []string {
	var lines []string
	var line string
	for word := range strings.SplitSeq(text, " ") {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= limit && line != "" {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		parts := chunks(word, limit)
		last := len(parts) - 1
		lines, line = append(lines, parts[:last]...), parts[last]
	}
	return append(lines, line)
}

// chunks cuts a word into parts of at most so many characters; one part at
// least.
func chunks(word string, limit int) []string {
	runes := []rune(word)
	var parts []string
	for len(runes) > limit {
		parts, runes = append(parts, string(runes[:limit])), runes[limit:]
	}
	return append(parts, string(runes))
}

// Visible returns a text in which everything can be seen and nothing does more
// than being seen. What cannot be printed is written as Go escapes it: control
// characters and with them the sequences that terminals obey, marks that turn
// the direction of writing, line breaks, bytes that are no text. Everything else
// stays as it is, backslashes too, so the form cannot be read back.
//
// A Printer does this to whatever it writes. It is exported for messages that
// hosts write beside it.
func Visible(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[n:]
	}
	return b.String()
}
