package httpapi

// sparePart is the part of the room, a sixteenth, that buffers may fill which
// nobody uses.
const sparePart = 16

// spares are buffers that wait for their next use, by their size.
type spares struct {
	most, held int64
	buffers    map[int][][]byte
}

// get returns an empty buffer of just that size, or nil.
func (s *spares) get(size int) []byte {
	ofSize := s.buffers[size]
	if len(ofSize) == 0 {
		return nil
	}
	last := len(ofSize) - 1
	buffer := ofSize[last]
	ofSize[last] = nil
	s.buffers[size] = ofSize[:last]
	s.held -= int64(size)
	return buffer[:0]
}

// put keeps a buffer, in the place of others where there are too many. The room
// has free bytes.
func (s *spares) put(buffer []byte, free int64) {
	size := int64(cap(buffer))
	bound := min(s.most, free)
	if size > bound {
		return
	}
	s.shrink(bound - size)
	s.buffers[cap(buffer)] = append(s.buffers[cap(buffer)], buffer)
	s.held += size
}

// shrink lets any buffers go until they hold bound at most.
func (s *spares) shrink(bound int64) {
	for size := range s.buffers {
		for s.held > bound && s.get(size) != nil {
		}
		if s.held <= bound {
			return
		}
		delete(s.buffers, size)
	}
}
