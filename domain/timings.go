package domain

import (
	"iter"
	"time"
)

// Timings is how long the steps of a call took, as stored in the log. 0 means that
// the call did not reach the step or that the step was not timed.
type Timings struct {
	Receive     time.Duration // the body arrives and is parsed
	Identify    time.Duration // the fleet is looked up by its key
	Find        time.Duration // the customer is looked up
	CheckPIN    time.Duration // the PIN is compared, and the attempt counted
	ReadPhoto   time.Duration // the image is checked and, where needed, decoded, scaled and encoded
	OpenEntry   time.Duration // the log entry is opened, durably
	Wait        time.Duration // the call waits for the customer's lock
	StorePhoto  time.Duration // the photo store is changed
	StoreRecord time.Duration // the record is stored, durably; 0 if the log entry is closed with it
}

// All yields each step's name and time, in the order of the steps.
func (t *Timings) All() iter.Seq2[string, *time.Duration] {
	return func(yield func(string, *time.Duration) bool) {
		_ = yield("receive", &t.Receive) && yield("identify", &t.Identify) && yield("find", &t.Find) &&
			yield("check_pin", &t.CheckPIN) && yield("read_photo", &t.ReadPhoto) && yield("open_entry", &t.OpenEntry) &&
			yield("wait", &t.Wait) && yield("store_photo", &t.StorePhoto) && yield("store_record", &t.StoreRecord)
	}
}
