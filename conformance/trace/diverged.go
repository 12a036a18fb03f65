package trace

import (
	"crypto/sha256"
	"encoding/binary"
)

// divergence knows in which line each session diverged. It is asked for findings
// alone. Of the ids it keeps hashes, which are short whatever
// a trace calls its sessions; those that become too many go into the spill.
type divergence struct {
	in    *sessions
	first map[[sha256.Size]byte]int
	count int // of all
}

// maxDiverged is how many of them are kept in memory.
const maxDiverged = 1024

// since returns the line in which a session diverged: that of this finding, if
// it had not before and does now; 0 if it does not.
func (d *divergence) since(id []byte, line int, does bool) (int, error) {
	hash := sha256.Sum256(id)
	if first, known := d.first[hash]; known {
		return first, nil
	}
	value, spilled, err := d.in.spill.get(d.in.keyOf(spilledLine, hash[:]))
	if err != nil {
		return 0, err
	}
	switch {
	case spilled:
		first, size := binary.Uvarint(value)
		if size <= 0 {
			return 0, errDamaged
		}
		line = int(first) //nolint:gosec // flush wrote it
	case does:
		d.count++
	default:
		return 0, nil
	}
	d.first[hash] = line
	if len(d.first) < maxDiverged {
		return line, nil
	}
	return line, d.flush()
}

// flush moves what is in memory into the spill.
func (d *divergence) flush() error {
	for hash, line := range d.first {
		value := binary.AppendUvarint(nil, uint64(line)) //nolint:gosec // a line is not negative
		if err := d.in.spill.put(d.in.keyOf(spilledLine, hash[:]), value); err != nil {
			return err
		}
	}
	clear(d.first)
	return nil
}
