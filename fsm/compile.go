package fsm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Compile checks a table and returns its machine. The machine keeps a copy, so
// that the table may be changed afterwards.
//
// A table that is not sound is refused with every fault found, each a
// [*TableError], joined. Faults in the rows are reported before the table as a
// whole is looked at: reachability means little while rows are missing.
func Compile[S, E Enum](t Table[S, E]) (*Machine[S, E], error) {
	c := compiler[S, E]{t: t, m: new(Machine[S, E])}
	c.header()
	c.rows()
	if len(c.faults) == 0 {
		c.fill()
		c.order()
	}
	if len(c.faults) != 0 {
		return nil, errors.Join(c.faults...)
	}
	return c.m, nil
}

// MustCompile is Compile for tables that are part of a program: it panics on a
// table that is not sound.
func MustCompile[S, E Enum](t Table[S, E]) *Machine[S, E] {
	m, err := Compile(t)
	if err != nil {
		panic(err)
	}
	return m
}

// compiler collects the faults of a table while it fills the machine.
type compiler[S, E Enum] struct {
	t Table[S, E]
	m *Machine[S, E] // given away only if there is no fault

	// Every fault is told at once: whoever wrote the table mends it once.
	faults []error
}

// fault remembers a fault of a row, counted from 1, or of the whole with row 0.
func (c *compiler[S, E]) fault(row int, format string, args ...any) {
	e := &TableError{Machine: c.t.Name, Row: row, Reason: fmt.Sprintf(format, args...)}
	if row > 0 {
		e.Event = c.t.Rows[row-1].Event.String()
	}
	c.faults = append(c.faults, e)
}

// header checks names and states and gives every state its rank.
func (c *compiler[S, E]) header() {
	if strings.TrimSpace(c.t.Name) == "" {
		c.fault(0, "the machine has no name")
	}
	if len(c.t.Initial) == 0 {
		c.fault(0, "no initial state; at least one is needed")
	}
	var rank uint8 // enough for 255 states, which are all but zero
	for i, s := range c.t.States {
		switch {
		case s == 0:
			c.fault(0, "state %d is the zero value, which means none", i+1)
		case c.m.Has(s):
			c.fault(0, "state %s is declared twice", s)
		default:
			rank++
			c.m.rank[uint8(s)] = rank
		}
	}
	for i, s := range c.t.Initial {
		switch {
		case !c.m.Has(s):
			c.fault(0, "initial state %s is not declared; declared are %s", s, texts(c.t.States))
		case slices.Contains(c.t.Initial[:i], s):
			c.fault(0, "initial state %s is listed twice", s)
		}
	}
}

// rows checks each row by itself and against the ones before it.
func (c *compiler[S, E]) rows() {
	type pair struct {
		s S
		e E
	}
	declared := map[pair]int{} // the row that declared each
	for i, r := range c.t.Rows {
		row := i + 1
		if r.Event == 0 {
			c.fault(row, "the event is the zero value, which means none")
		}
		if len(r.From) == 0 {
			c.fault(row, "no source state; at least one is needed")
		}
		for _, s := range append([]S{r.To}, r.From...) {
			if !c.m.Has(s) {
				c.fault(row, "state %s is not declared; declared are %s", s, texts(c.t.States))
			}
		}
		for _, s := range r.From {
			p := pair{s, r.Event}
			if first, doubled := declared[p]; doubled {
				c.fault(row, "state %s has this event already, in row %d", s, first)
				continue
			}
			declared[p] = row
		}
	}
}

// fill writes sound rows into the machine and closes reachability over them.
func (c *compiler[S, E]) fill() {
	m := c.m
	m.table = c.t
	m.table.States = slices.Clone(c.t.States)
	m.table.Initial = slices.Clone(c.t.Initial)
	m.table.Rows = cloneRows(c.t.Rows)

	for _, s := range c.t.States {
		m.reach[uint8(s)].add(uint8(s))
	}
	for _, r := range c.t.Rows {
		m.events.add(uint8(r.Event))
		for _, s := range r.From {
			m.next[uint16(r.Event)<<8|uint16(s)] = r.To
			m.allowed[uint8(s)] = append(m.allowed[uint8(s)], r.Event)
			m.reach[uint8(s)].add(uint8(r.To))
		}
	}
	// Warshall: after the round of via, paths through it are counted in.
	for _, via := range c.t.States {
		for _, s := range c.t.States {
			if m.Reaches(s, via) {
				m.reach[uint8(s)].addAll(&m.reach[uint8(via)])
			}
		}
	}
	// A state whose every event leads back to it is as final as one without.
	for _, s := range c.t.States {
		leaves := func(e E) bool { return m.lookup(s, e) != s }
		if !slices.ContainsFunc(m.allowed[uint8(s)], leaves) {
			m.terminal = append(m.terminal, s)
		}
	}
}

// order checks that every state is reached and that rank agrees with time.
func (c *compiler[S, E]) order() {
	for i, s := range c.t.States {
		reached := func(from S) bool { return c.m.Reaches(from, s) }
		if !slices.ContainsFunc(c.t.Initial, reached) {
			c.fault(0, "state %s is not reached from any initial state (%s)", s, texts(c.t.Initial))
		}
		for _, later := range c.t.States[i+1:] {
			if c.m.Reaches(later, s) && !c.m.Reaches(s, later) {
				c.fault(0, "state %s is declared before %s, which leads to it for good; "+
					"declare %[2]s first", s, later)
			}
		}
	}
}
