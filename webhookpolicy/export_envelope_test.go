package webhookpolicy

// The two ways of reading a body, of which ParseEnvelope goes the second where the
// first gives up, and the form of times.
var (
	ScanEnvelope = func(body []byte, limits Limits) (Envelope, bool) {
		return scanEnvelope(body, limits.orDefault())
	}
	ExamineEnvelope = func(body []byte, limits Limits) (Envelope, error) {
		return examineEnvelope(body, limits.orDefault())
	}
	ParseUnix = parseUnix
)
