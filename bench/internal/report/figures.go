package report

import (
	"math"
	"strconv"
	"strings"

	"github.com/sluicego/sluice/bench/internal/measure"
)

// Contest returns the table of a contest's result, and a note for everybody who
// lacks something.
func Contest(r measure.Result) (Table, []string) {
	first := r.Rows[0].Name
	t := Table{
		Caption: r.Contest.Name,
		Header:  []string{"", "time per " + r.Contest.Unit, "least to most", "÷ " + first, "least to most", "allocations", "bytes"},
	}
	var notes []string
	for _, row := range r.Rows {
		t.Rows = append(t.Rows, []string{
			row.Name,
			Duration(row.NS.Median), Duration(row.NS.Least) + " to " + Duration(row.NS.Most),
			Times(row.Times.Median), Times(row.Times.Least) + " to " + Times(row.Times.Most),
			Count(row.Allocs), Count(row.Bytes),
		})
		if row.Lacks != "" {
			notes = append(notes, row.Name+": "+row.Lacks)
		}
	}
	return t, notes
}

// Significant returns a number with three digits that count, or all of those
// before the point, in groups of three.
func Significant(v float64) string {
	if v == math.Trunc(v) {
		return group(strconv.FormatFloat(v, 'f', 0, 64))
	}
	// The exponent of what is rounded already: 9.996 is 10.0, not 10.00.
	_, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', 2, 64), "e")
	power, _ := strconv.Atoi(exponent) // it is a number
	text := strconv.FormatFloat(v, 'f', min(max(0, 2-power), 4), 64)
	whole, fraction, _ := strings.Cut(text, ".")
	grouped := group(whole)
	if fraction != "" {
		grouped += "." + fraction
	}
	return grouped
}

// group puts commas into a whole number.
func group(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Duration returns nanoseconds in the unit in which people read them.
func Duration(ns float64) string {
	for _, u := range []struct {
		from float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if ns >= u.from {
			return Significant(ns/u.from) + " " + u.name
		}
	}
	return Significant(ns) + " ns"
}

// Times returns a ratio.
func Times(v float64) string { return Significant(v) + "×" }

// Count returns a number of things of which there are often none.
func Count(v float64) string {
	if 0 < v && v < 0.01 {
		return "< 0.01"
	}
	return Significant(v)
}
