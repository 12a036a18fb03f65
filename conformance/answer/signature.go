package answer

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// signatureArea is what protects a call.
type signatureArea struct{}

func openSignature(given json.RawMessage) (area, error) {
	return signatureArea{}, read(given, &struct{}{})
}

func (signatureArea) end() object { return object{} }

func (signatureArea) step(do string, text json.RawMessage) (object, error) {
	switch do {
	case "sign":
		return take(text, sign)
	case "verify":
		return take(text, verify)
	case "receive":
		return take(text, receive)
	default:
		return nil, unknownStep(do)
	}
}

// bodyText is a body: a text, or bytes in hexadecimal.
type bodyText struct {
	Body string  `json:"body"`
	Hex  *string `json:"body_hex"`
}

func (b bodyText) bytes() ([]byte, error) {
	if b.Hex != nil {
		return hex.DecodeString(*b.Hex)
	}
	return []byte(b.Body), nil
}

// secrets returns the secrets of texts.
func secrets(texts []string) []webhookpolicy.Secret {
	list := make([]webhookpolicy.Secret, len(texts))
	for i, text := range texts {
		list[i] = webhookpolicy.NewSecret(text)
	}
	return list
}

func sign(s struct {
	bodyText
	Secret string `json:"secret"`
},
) (object, error) {
	body, err := s.bytes()
	if err != nil {
		return nil, err
	}
	signature, err := webhookpolicy.Sign(body, webhookpolicy.NewSecret(s.Secret))
	return object{"signature": signature.String()}, err
}

func verify(s struct {
	bodyText
	Signature string   `json:"signature"`
	Secrets   []string `json:"secrets"`
},
) (object, error) {
	body, err := s.bytes()
	if err != nil {
		return nil, err
	}
	return taken, webhookpolicy.Verify(body, s.Signature, secrets(s.Secrets)...)
}

func receive(s struct {
	bodyText
	nowText
	Signature string   `json:"signature"`
	IssuedAt  string   `json:"issued_at"`
	Secrets   []string `json:"secrets"`
	Tolerance seconds  `json:"tolerance_s"`
},
) (object, error) {
	body, err := s.bytes()
	if err != nil {
		return nil, err
	}
	receiver := webhookpolicy.Receiver{Secrets: secrets(s.Secrets), Tolerance: time.Duration(s.Tolerance)}
	envelope, err := receiver.Receive(body, s.Signature, s.IssuedAt, s.Now)
	return object{"event_id": envelope.EventID}, err
}
