package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
	"github.com/sluicego/sluice/internal/pgtest"
)

// savesPlace is a database with all who save there, each in tables of its own.
type savesPlace struct {
	name    string
	savers  []saver  // the others are compared with the first
	notes   []string // of versions and settings
	closers []func() error
}

// saver is somebody who saves in its own way.
type saver struct {
	name  string
	about string // what it is, or what it does not do
	save  func(context.Context, saved) error
	// count returns how much there is of a kind.
	count func(context.Context, savesKind) (savesCount, error)
}

// savesKind is a table, whose name may have a prefix, and a text in it.
type savesKind struct{ table, text string }

var savesKinds = []savesKind{{"sessions", "snapshot"}, {"events", "event"}, {"resources", "id"}, {"outbox", "name"}}

// savesCount is how many rows and how many characters of text there are.
type savesCount struct{ rows, characters int }

// query returns the query that counts in tables whose names begin so.
func (k savesKind) query(prefix string) string {
	return `SELECT count(*), coalesce(sum(length(CAST(` + k.text + ` AS text))), 0) FROM ` + prefix + k.table
}

// close closes what was opened, what came last first.
func (p *savesPlace) close() error {
	var errs []error
	for _, f := range slices.Backward(p.closers) {
		errs = append(errs, f())
	}
	p.closers = nil
	return errors.Join(errs...)
}

// holdSaves measures how many saves per second the stores do, beside programs that
// write the same rows through the bare driver.
func holdSaves(ctx context.Context, s settings) (report.Section, error) {
	return savesSection(ctx, s, openSQLiteSavers, openPostgresSavers)
}

// savesSection measures in several places. One that is not there is noted.
func savesSection(
	ctx context.Context, s settings, places ...func(context.Context, *savesPlace) error,
) (report.Section, error) {
	section := report.Section{
		Title: "Saves per second, beside the bare driver",
		About: []string{
			"A save writes the snapshot of a session, its events, the resources that these link, and what they announce:" +
				" in one transaction, which is on the disk when it returns. What is saved is sessions as hosts have them," +
				fmt.Sprintf(" of %d saves each: one is created with two groups, its verification fails and is replaced by", savesOfLife) +
				" one that succeeds, and a signature request is signed. One writer saves one session after another; 16 do so" +
				" at once, each with sessions of its own. Sessions and events are made beforehand, and only saving is timed." +
				" Everybody has a file or a schema of its own, on the same disk.",
			"The bare driver is a program that somebody writes by hand for these rows. It has the columns, keys," +
				" references and indexes that the store has, prepares its statements, and uses the driver as its" +
				" documentation advises. In the end the rows of all are counted, and the characters in them, and have to be the same.",
		},
		Notes: []string{
			"The bare driver: the texts of its rows are made beforehand, while the store makes them from session and events" +
				" as it saves. It checks nothing but the version, has no marks, and so cannot tell whether a commit that" +
				" failed was done, and its errors have no types.",
		},
	}
	for _, open := range places {
		table, notes, err := savesAt(ctx, s, open)
		switch {
		case errors.Is(err, pgtest.ErrNotInstalled):
			section.Notes = append(section.Notes, fmt.Sprintf("PostgreSQL was **not measured**: %v.", err))
		case err != nil:
			return report.Section{}, err
		default:
			section.Tables = append(section.Tables, table)
			section.Notes = append(section.Notes, notes...)
		}
	}
	return section, nil
}

// savesAt measures in one place, and closes it.
func savesAt(
	ctx context.Context, s settings, open func(context.Context, *savesPlace) error,
) (table report.Table, notes []string, err error) {
	var p savesPlace
	defer func() { err = errors.Join(err, p.close()) }()
	if err := open(ctx, &p); err != nil {
		return report.Table{}, nil, err
	}
	table = report.Table{
		Caption: p.name,
		Header:  []string{"", "writers", "saves/s", "least to most", "of the bare rate", "least to most"},
	}
	for _, writers := range []int{1, 16} {
		rates, err := p.rates(ctx, s, writers)
		if err != nil {
			return report.Table{}, nil, err
		}
		for i, who := range p.savers {
			rate, share := measure.SpreadOf(rates[i]), measure.SpreadOf(quotients(rates[i], rates[0]))
			table.Rows = append(table.Rows, []string{
				who.name, strconv.Itoa(writers),
				report.Significant(rate.Median), report.Significant(rate.Least) + " to " + report.Significant(rate.Most),
				report.Times(share.Median), report.Times(share.Least) + " to " + report.Times(share.Most),
			})
		}
	}
	for _, who := range p.savers {
		if who.about != "" {
			notes = append(notes, p.name+", "+who.name+": "+who.about+".")
		}
	}
	return table, append(notes, p.notes...), p.sameRows(ctx)
}

// quotients divides one by one.
func quotients(of, by []float64) []float64 {
	list := make([]float64, len(of))
	for i := range list {
		list[i] = of[i] / by[i]
	}
	return list
}

// rates returns how many saves per second each saver did, round by round.
func (p *savesPlace) rates(ctx context.Context, s settings, writers int) ([][]float64, error) {
	lives, err := p.livesOfTurn(ctx, s, writers)
	if err != nil {
		return nil, err
	}
	rates := make([][]float64, len(p.savers))
	for round := range s.Rounds {
		work, err := savedLives(fmt.Sprintf("r%d", round), writers, lives)
		if err != nil {
			return nil, err
		}
		for turn := range p.savers {
			i := (round + turn) % len(p.savers)
			took, err := p.savers[i].all(ctx, work)
			if err != nil {
				return nil, err
			}
			rates[i] = append(rates[i], float64(writers*lives*savesOfLife)/(took/1e9))
		}
	}
	return rates, nil
}

// livesOfTurn returns how many sessions each writer has to save so that turns
// have their length on an average. It is five times that of others, since a save
// waits for a disk.
func (p *savesPlace) livesOfTurn(ctx context.Context, s settings, writers int) (int, error) {
	goal := 5 * float64(s.Turn)
	// The first attempt opens connections and prepares statements.
	lives := 1
	for attempt := 0; ; attempt++ {
		work, err := savedLives(fmt.Sprintf("c%d", attempt), writers, lives)
		if err != nil {
			return 0, err
		}
		var mean float64
		for _, who := range p.savers {
			took, err := who.all(ctx, work)
			if err != nil {
				return 0, err
			}
			mean += took / float64(len(p.savers))
		}
		switch {
		case attempt == 0:
		case mean >= goal:
			return lives, nil
		default:
			lives = min(int(float64(lives)*1.2*goal/mean)+1, 20*lives)
		}
	}
}

// all saves what all writers have to save, and returns how many nanoseconds that
// took.
func (w saver) all(ctx context.Context, work [][]saved) (float64, error) {
	errs := make([]error, len(work))
	took := measure.Time(func() {
		var writers sync.WaitGroup
		for i, saves := range work {
			writers.Go(func() {
				for _, one := range saves {
					if errs[i] = w.save(ctx, one); errs[i] != nil {
						return
					}
				}
			})
		}
		writers.Wait()
	})
	if err := errors.Join(errs...); err != nil {
		return 0, fmt.Errorf("%s: save: %w", w.name, err)
	}
	return took, nil
}

// sameRows returns an error if somebody has not as much as the first.
func (p *savesPlace) sameRows(ctx context.Context) error {
	for _, kind := range savesKinds {
		var want savesCount
		for i, who := range p.savers {
			n, err := who.count(ctx, kind)
			if err != nil {
				return fmt.Errorf("%s, %s: count %s: %w", p.name, who.name, kind.table, err)
			}
			if i == 0 {
				want = n
			}
			if n != want || n.rows == 0 {
				return fmt.Errorf("%s, %s: %s has %d rows and %d characters; with %s it has %d and %d", p.name, who.name,
					kind.table, n.rows, n.characters, p.savers[0].name, want.rows, want.characters)
			}
		}
	}
	return nil
}
