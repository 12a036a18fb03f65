package group

// Tally counts what the entries of a group say, so that one entry can change
// without a look at the others. The zero Tally is that of an empty group.
type Tally [Blocked + 1]int32

// Add counts an entry in.
func (t *Tally) Add(e Entry) { t[e.Says()]++ }

// Remove counts out an entry that was counted in.
func (t *Tally) Remove(e Entry) { t[e.Says()]-- }

// Status returns the status of the group: the join of what its entries say, as
// [StatusOf] does.
func (t *Tally) Status() Status {
	for _, s := range [...]Status{Blocked, Ongoing, Done} {
		if t[s] > 0 {
			return s
		}
	}
	return Awaiting
}
