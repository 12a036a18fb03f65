package trace

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"os"
	"slices"
)

// spill is a map from keys to values in two temporary files, for what does not
// fit into memory. Of itself it needs a few kilobytes, whatever it holds.
//
// One file holds the records, each in its place behind the others. The other is
// a table of slots, each with the hash of a key and the place of its record; a
// key stands in the slot that the first bits of its hash name, or in one of the
// next, before the first that is empty. Nothing is ever taken out.
type spill struct {
	dir     string
	seed    maphash.Seed
	records *tempFile
	slots   *tempFile
	bits    int   // there are 1<<bits slots, and as many behind them as were needed
	used    int64 // how many are
	end     int64 // of the records

	window [slotsRead * slotSize]byte // slots that were read
	buffer []byte                     // a record that was read or is to be written
}

const (
	slotSize  = 16
	slotsRead = 16 // at once: nearly always enough
	firstBits = 12

	headSize   = 12 // of a record: its room, and the lengths of value and key
	recordRead = 512
)

// room is where a record is, and how many bytes it may have. The zero room has
// none.
type room struct {
	at   int64
	size int
}

// slot is an entry of the table; an empty one is all zeros.
type slot struct {
	hash  uint64
	place int64 // of the record, plus one
}

func newSpill(dir string) *spill { return &spill{dir: dir, seed: maphash.MakeSeed(), bits: firstBits} }

// rewrite sets the value of a key whose record has the room that locate told, if
// that is enough; otherwise it puts it. It saves looking for the key.
func (s *spill) rewrite(r room, key, value []byte) error {
	if r.size < headSize+len(key)+len(value) {
		return s.put(key, value)
	}
	return s.write(r, key, value)
}

// get returns the value of a key, and whether there is one. It is good until
// the next call.
func (s *spill) get(key []byte) (value []byte, found bool, err error) {
	value, r, err := s.locate(key)
	return value, r.size > 0, err
}

// locate is get, and tells where the value is.
func (s *spill) locate(key []byte) ([]byte, room, error) {
	if s.records == nil {
		return nil, room{}, nil
	}
	_, at, err := s.find(key, maphash.Bytes(s.seed, key))
	if err != nil || at < 0 {
		return nil, room{}, err
	}
	valueSize := int(binary.LittleEndian.Uint32(s.buffer[4:]))
	return s.buffer[headSize+len(key) : headSize+len(key)+valueSize], s.found(at), nil
}

// put sets the value of a key.
func (s *spill) put(key, value []byte) error {
	if s.records == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	hash := maphash.Bytes(s.seed, key)
	number, at, err := s.find(key, hash)
	if err != nil {
		return err
	}
	need := headSize + len(key) + len(value)
	r := room{s.end, need}
	if at >= 0 {
		if old := s.found(at); old.size >= need {
			return s.write(old, key, value)
		}
		// What grew once grows again. Half as much more each time bounds what
		// is left behind.
		r.size += need / 2
	}
	if err := s.write(r, key, value); err != nil {
		return err
	}
	if err := s.writeSlot(number, slot{hash, s.end + 1}); err != nil {
		return err
	}
	s.end += int64(r.size)
	if at < 0 {
		s.used++
	}
	if s.used > int64(1)<<s.bits/2 {
		return s.grow()
	}
	return nil
}

// found returns the room of the record in the buffer.
func (s *spill) found(at int64) room { return room{at, int(binary.LittleEndian.Uint32(s.buffer))} }

// find looks for a key. It returns the number of its slot, or of the empty one
// that it would get, and where its record is, which is then in the buffer; or
// -1.
func (s *spill) find(key []byte, hash uint64) (number, at int64, err error) {
	number = int64(hash >> (64 - s.bits)) //nolint:gosec // bits are less than 63
	for {
		if err := readFull(s.slots, s.window[:], number*slotSize); err != nil {
			return 0, 0, err
		}
		for i := range slotsRead {
			here := decodeSlot(s.window[i*slotSize:])
			if here.place == 0 {
				return number, -1, nil
			}
			if here.hash == hash {
				same, err := s.read(here.place-1, key)
				if err != nil || same {
					return number, here.place - 1, err
				}
			}
			number++
		}
	}
}

// read reads a record into the buffer, and reports whether it is that of a key.
func (s *spill) read(at int64, key []byte) (bool, error) {
	s.buffer = slices.Grow(s.buffer[:0], recordRead)[:recordRead]
	if err := readFull(s.records, s.buffer, at); err != nil {
		return false, err
	}
	keySize := int(binary.LittleEndian.Uint32(s.buffer[8:]))
	size := headSize + keySize + int(binary.LittleEndian.Uint32(s.buffer[4:]))
	if keySize != len(key) {
		return false, nil
	}
	if size > recordRead {
		s.buffer = slices.Grow(s.buffer, size-recordRead)[:size]
		if err := readFull(s.records, s.buffer[recordRead:], at+recordRead); err != nil {
			return false, err
		}
	}
	return bytes.Equal(s.buffer[headSize:headSize+keySize], key), nil
}

// readFull reads what there is; what would stand behind the end is zeros.
func readFull(f *tempFile, b []byte, at int64) error {
	n, err := f.ReadAt(b, at)
	clear(b[n:])
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("trace: temporary file: %w", err)
	}
	return nil
}

// write writes a record into its room.
func (s *spill) write(r room, key, value []byte) error {
	b := slices.Grow(s.buffer[:0], headSize+len(key)+len(value))
	b = binary.LittleEndian.AppendUint32(b, uint32(r.size))     //nolint:gosec // a record is about as long as a line
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value))) //nolint:gosec // the same
	b = binary.LittleEndian.AppendUint32(b, uint32(len(key)))   //nolint:gosec // the same
	b = append(append(b, key...), value...)
	s.buffer = b
	return s.records.write(b, r.at)
}

func (s *spill) writeSlot(number int64, v slot) error {
	return s.slots.write(v.encode(nil), number*slotSize)
}

func (v slot) encode(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, v.hash)
	return binary.LittleEndian.AppendUint64(b, uint64(v.place)) //nolint:gosec // a place is not negative
}

func decodeSlot(b []byte) slot {
	//nolint:gosec // encode wrote it
	return slot{binary.LittleEndian.Uint64(b), int64(binary.LittleEndian.Uint64(b[8:]))}
}

// grow makes a table of twice as many slots. Slots stand in the order of their
// hashes but for those that were pushed on, so that one pass from front to back
// moves them: each run of slots in use is sorted and written behind the last.
func (s *spill) grow() error {
	next, err := newTempFile(s.dir)
	if err != nil {
		return err
	}
	g := &growth{w: bufio.NewWriter(next), bits: s.bits + 1}
	if err := errors.Join(g.move(bufio.NewReader(io.NewSectionReader(s.slots, 0, math.MaxInt64))), g.w.Flush()); err != nil {
		return errors.Join(fmt.Errorf("trace: temporary file: %w", err), next.close())
	}
	old := s.slots
	s.slots, s.bits = next, s.bits+1
	return old.close()
}

// growth writes a table with more slots.
type growth struct {
	w       *bufio.Writer
	bits    int
	written int64 // slots
	run     []slot
}

// move moves all slots of a table.
func (g *growth) move(r io.Reader) error {
	var b [slotSize]byte
	for {
		_, err := io.ReadFull(r, b[:])
		if errors.Is(err, io.EOF) {
			return g.flush()
		}
		if err != nil {
			return err
		}
		if here := decodeSlot(b[:]); here.place != 0 {
			g.run = append(g.run, here)
		} else if err := g.flush(); err != nil {
			return err
		}
	}
}

// flush writes a run of slots, each to where it belongs or the next that is
// free.
func (g *growth) flush() error {
	slices.SortFunc(g.run, func(a, b slot) int { return cmp.Compare(a.hash, b.hash) })
	var empty [slotSize]byte
	for _, v := range g.run {
		for g.written < int64(v.hash>>(64-g.bits)) { //nolint:gosec // bits are less than 63
			if _, err := g.w.Write(empty[:]); err != nil {
				return err
			}
			g.written++
		}
		if _, err := g.w.Write(v.encode(nil)); err != nil {
			return err
		}
		g.written++
	}
	g.run = g.run[:0]
	return nil
}

func (s *spill) open() (err error) {
	if s.records, err = newTempFile(s.dir); err == nil {
		s.slots, err = newTempFile(s.dir)
	}
	return err
}

func (s *spill) close() error { return errors.Join(s.records.close(), s.slots.close()) }

// tempFile is a file that nobody finds afterwards.
type tempFile struct {
	*os.File
	stays bool // whether it still has to be removed
}

func newTempFile(dir string) (*tempFile, error) {
	f, err := os.CreateTemp(dir, "sluice-trace-*")
	if err != nil {
		return nil, fmt.Errorf("trace: temporary file: %w", err)
	}
	// Where a file that is open can be removed it is at once, so that it is gone
	// however the process ends.
	return &tempFile{f, os.Remove(f.Name()) != nil}, nil
}

func (f *tempFile) write(b []byte, at int64) error {
	if _, err := f.WriteAt(b, at); err != nil {
		return fmt.Errorf("trace: temporary file: %w", err)
	}
	return nil
}

// close closes and removes a file; nil is none.
func (f *tempFile) close() error {
	if f == nil {
		return nil
	}
	err := f.Close()
	if f.stays {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
