package webhookpolicy

// Lists returns how many lists there are. None of them is empty.
func (m *Matcher) Lists() int { return len(m.lists) }
