package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"
)

// Each buffer is the smallest of its class that holds what it has to, and at
// most an eighth of it lies idle.
func TestClasses(t *testing.T) {
	for class := range 10 * classesPerDoubling {
		size, next := classSize(class), classSize(class+1)
		got := [3]int{classFor(size - 1), classFor(size), classFor(size + 1)}
		if want := [3]int{class, class, class + 1}; got != want {
			t.Errorf("around %d bytes: classes %v, want %v", size, got, want)
		}
		if idle := next - size; 8*idle > next {
			t.Errorf("a body of %d bytes leaves %d of %d idle", size+1, idle, next)
		}
	}
	if got := [2]int64{classSize(0), classSize(10 * classesPerDoubling)}; got != [2]int64{smallestBody, smallestBody << 10} {
		t.Errorf("the sizes of the first class and ten doublings later are %v", got)
	}
}

// heldWhile reads what reader yields and returns what is held, in units of the
// smallest buffer, after each change of it.
func heldWhile(t *testing.T, expected int64, reader io.Reader) (held []float64) {
	t.Helper()
	into := newBody(expected)
	note := func() {
		held = append(held, float64(into.owner.held.Load())/smallestBody)
	}
	check(t, into.readAll(readerFunc(func(p []byte) (int, error) {
		note()
		return reader.Read(p)
	})))
	into.release()
	note()
	return slices.Compact(held)
}

type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A caller that announces much holds at most 16 times what it has sent, and a
// buffer that is hardly larger than the body in the end.
func TestBufferGrowsWithWhatArrives(t *testing.T) {
	const unit = smallestBody
	for _, test := range []struct {
		announced, sent int64
		held            []float64
	}{
		{100, 100, []float64{1, 0}},
		{unit - 1, unit - 1, []float64{1, 0}},
		{unit, unit, []float64{1, 1.125, 0}}, // room to see the end
		{2*unit - 1, 2*unit - 1, []float64{1, 2, 0}},
		{16*unit - 1, 16*unit - 1, []float64{1, 16, 0}},
		{16 * unit, 16 * unit, []float64{1, 1.125, 18, 0}},
		{90 * unit, 90 * unit, []float64{1, 6, 96, 0}},
		{1600 * unit, unit, []float64{1, 6.5, 0}},
		{1600 * unit, unit - 1, []float64{1, 0}},
		{-1, 5 * unit, []float64{1, 2, 4, 8, 0}},
	} {
		t.Run(fmt.Sprintf("%d of %d", test.sent, test.announced), func(t *testing.T) {
			if got := heldWhile(t, test.announced, bytes.NewReader(make([]byte, test.sent))); !slices.Equal(got, test.held) {
				t.Errorf("held are %v, want %v times %d bytes", got, test.held, unit)
			}
		})
	}
}

// The largest call fits in LeastInflightBytes, announced or not.
func TestLeastInflightBytes(t *testing.T) {
	const photo = 3 << 20
	for _, announced := range []int64{-1, MaxBodyBytes(photo)} {
		owner := &bodies{budget: LeastInflightBytes(photo)}
		into, err := owner.borrow(announced)
		check(t, err)
		check(t, into.readAll(bytes.NewReader(make([]byte, MaxBodyBytes(photo)))))
	}
}
