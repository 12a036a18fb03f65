package webhookpolicy

// Lists returns how many lists there are, and how many it believes there are of
// each kind. None of them is empty.
func (m *Matcher) Lists() (lists int, kinds [8]int) { return len(m.lists), m.kinds }
