package webhookpolicy

import (
	"strconv"
	"time"
)

// The names that [DefaultPolicy] gives the headers of a call.
const (
	HeaderRetryCount = "X-Yousign-Retry-Count"
	HeaderSignature  = "X-Yousign-Signature-256"
	HeaderIssuedAt   = "X-Yousign-Issued-At"
)

// Header is one header of a call.
type Header struct{ Name, Value string }

// Headers returns the headers of one call (WHK-6, WHK-10), named as the policy
// says. The signature is about the body and stays the same through all calls
// of a delivery as long as the key does; the number of the retry, 0 on the
// first call, and the time, in Unix seconds, are about this call.
//
// It returns a [*SignatureError] if the secret is zero: nothing is ever sent
// unsigned.
func (p Policy) Headers(body []byte, secret Secret, retry int, now time.Time) ([]Header, error) {
	signature, err := Sign(body, secret)
	if err != nil {
		return nil, err
	}
	return []Header{
		{"Content-Type", "application/json"},
		{"User-Agent", p.UserAgent},
		{p.SignatureHeader, signature.String()},
		{p.IssuedAtHeader, strconv.FormatInt(now.Unix(), 10)},
		{p.RetryCountHeader, strconv.Itoa(retry)},
	}, nil
}
