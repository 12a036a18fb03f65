package sqlite_test

import (
	"testing"

	"github.com/sluicego/sluice/internal/stress"
)

func TestOneSession(t *testing.T) { stress.Contend(t, open(t, file(t)), *commands) }
