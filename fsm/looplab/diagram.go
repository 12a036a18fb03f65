package looplab

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/sluicego/sluice/fsm"
)

// Mermaid returns a machine as a Mermaid state diagram.
//
//	stateDiagram-v2
//	    [*] --> closed
//	    closed --> open : opens
//	    open --> closed : closes
//	    open --> removed : removed
//	    removed --> [*]
//
// Initial states come from [*] and terminal ones lead to it. Events that lead
// from one state to the same other share an arrow. States follow in rank order
// and events in declared order, so that equal machines give equal text and a
// change of a table is a small change of its diagram.
//
// A name is shown as it is, whatever is in it; characters that cannot be seen
// are shown as Go escapes them. States whose names Mermaid could take for
// something else, such as end, get ids of their own.
func Mermaid[S, E fsm.Enum](m *fsm.Machine[S, E]) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "    "+format+"\n", args...) }

	b.WriteString("stateDiagram-v2\n")
	ids, plain := identify(m, isMermaidID)
	if !plain {
		for _, s := range m.States() {
			line(`state "%s" as %s`, mermaidText(s.String()), ids[s])
		}
	}
	for _, s := range m.Initial() {
		line("[*] --> %s", ids[s])
	}
	for _, a := range arrows(m) {
		labels := make([]string, len(a.events))
		for i, e := range a.events {
			labels[i] = mermaidText(e.String())
		}
		line("%s --> %s : %s", ids[a.from], ids[a.to], strings.Join(labels, ", "))
	}
	for _, s := range m.Terminal() {
		line("%s --> [*]", ids[s])
	}
	return b.String()
}

// Dot returns a machine as a directed graph in the language of Graphviz.
//
//	digraph "door" {
//	    rankdir=LR;
//	    "[*]" [shape=point];
//	    "closed";
//	    "removed" [shape=doublecircle];
//	    "[*]" -> "closed";
//	    "closed" -> "removed" [label="removed"];
//	}
//
// An arrow from a point leads to each initial state, and terminal ones have a
// double line. The rest is as with [Mermaid].
func Dot[S, E fsm.Enum](m *fsm.Machine[S, E]) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "    "+format+"\n", args...) }

	fmt.Fprintf(&b, "digraph \"%s\" {\n", dotText(m.Name()))
	line("rankdir=LR;")
	// No state can have this id: identify gives none with such characters.
	line(`"[*]" [shape=point];`)
	ids, plain := identify(m, isPlain)
	terminal := m.Terminal()
	for _, s := range m.States() {
		var attributes []string
		if !plain {
			attributes = append(attributes, `label="`+dotText(s.String())+`"`)
		}
		if slices.Contains(terminal, s) {
			attributes = append(attributes, "shape=doublecircle")
		}
		if len(attributes) == 0 {
			line(`"%s";`, ids[s])
			continue
		}
		line(`"%s" [%s];`, ids[s], strings.Join(attributes, ", "))
	}
	for _, s := range m.Initial() {
		line(`"[*]" -> "%s";`, ids[s])
	}
	for _, a := range arrows(m) {
		line(`"%s" -> "%s" [label="%s"];`, ids[a.from], ids[a.to], dotText(strings.Join(texts(a.events), ", ")))
	}
	b.WriteString("}\n")
	return b.String()
}

// arrow is what a diagram draws for all events that lead from one state to
// another.
type arrow[S, E fsm.Enum] struct {
	from, to S
	events   []E
}

// arrows returns the arrows of a machine: by the rank of the state that they
// come from, and those of one state in the order of their first events.
func arrows[S, E fsm.Enum](m *fsm.Machine[S, E]) []arrow[S, E] {
	var all []arrow[S, E]
	for _, s := range m.States() {
		first := len(all)
		for e := range m.Allowed(s) {
			next, _ := m.Next(s, e) // s allows e
			i := slices.IndexFunc(all[first:], func(a arrow[S, E]) bool { return a.to == next })
			if i < 0 {
				all = append(all, arrow[S, E]{from: s, to: next, events: []E{e}})
				continue
			}
			all[first+i].events = append(all[first+i].events, e)
		}
	}
	return all
}

// identify gives every state an id for a diagram: its name, if all names are
// different and can be ids, and else s and its rank. As it is the one or the
// other for all states, no id can be taken already.
//
// Two states may share a name here, other than in a table of looplab's. A
// picture of them is a poor one, but still that of the machine.
func identify[S, E fsm.Enum](m *fsm.Machine[S, E], isID func(string) bool) (ids map[S]string, plain bool) {
	states := m.States()
	byName := map[string]S{}
	ids = make(map[S]string, len(states))
	for _, s := range states {
		name := s.String()
		if isID(name) {
			byName[name] = s
			ids[s] = name
		}
	}
	if len(byName) == len(states) {
		return ids, true
	}
	for i, s := range states {
		ids[s] = "s" + strconv.Itoa(i)
	}
	return ids, false
}

// isPlain reports whether a name is an identifier of ASCII letters, digits and
// underscores that begins with a letter: both languages take that for an id.
func isPlain(name string) bool {
	for i, r := range name {
		if r >= unicode.MaxASCII || r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return name != "" && name[0] != '_'
}

// mermaidWords cannot be the id of a state, in any case of letters: they begin
// a statement, in this kind of diagram or in another, or they name what Mermaid
// makes itself.
var mermaidWords = []string{
	"accdescr", "acctitle", "class", "classdef", "click", "default", "end", "graph", "href", "note",
	"root", "root_end", "root_start", "scale", "state", "statediagram", "style",
}

// isMermaidID reports whether Mermaid takes a name for an id, and for nothing
// else.
func isMermaidID(name string) bool {
	return isPlain(name) && !slices.Contains(mermaidWords, strings.ToLower(name)) && !directs(name)
}

// directs reports whether a name could make a statement with what comes after
// it. Wherever Mermaid reads "direction", at the end of a word or of a line
// too, and then a word that begins with TB, BT, RL or LR, it turns the diagram
// and forgets the rest.
func directs(name string) bool {
	return strings.Contains(strings.ToLower(name), "direction")
}

// mermaidText writes a name so that Mermaid finds nothing in it but text.
//
// Mermaid has no escapes for its own signs. It has character codes, which it
// sets aside before it reads anything else, and so everything becomes one that
// is not beyond doubt.
func mermaidText(name string) string {
	var b strings.Builder
	doubt := directs(name)
	for _, r := range visible(name) {
		if !doubt && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-.", r)) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}

// dotText writes a name for a string in quotes, which may be a label: in those,
// Graphviz reads escapes such as \N, the name of the node, and HTML entities.
func dotText(name string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`).Replace(visible(name))
}

// visible writes what cannot be seen of a name as Go does. It is never empty,
// which a label of Mermaid's must not be.
func visible(name string) string {
	if name == "" {
		return `""`
	}
	var b strings.Builder
	for _, r := range name {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
