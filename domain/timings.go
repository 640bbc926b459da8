package domain

import (
	"iter"
	"time"
)

// Timings is how long the steps of a call took, as the log keeps it. 0: the
// call did not come to the step, or nobody took the time.
type Timings struct {
	Receive     time.Duration // the body arrives and is parsed
	Identify    time.Duration // the fleet is looked up by its key
	Find        time.Duration // the customer is looked up
	CheckPIN    time.Duration // the attempt is counted, and the count reset
	ReadPhoto   time.Duration // the image is checked and, where needed, decoded, scaled and encoded
	OpenEntry   time.Duration // the log entry is opened, durably
	Wait        time.Duration // for the customer's turn
	StorePhoto  time.Duration // the photo store is changed
	StoreRecord time.Duration // the record is stored, durably; 0 where the log is stored with it
}

// All yields each time with its name, in the order in which a call goes
// through the steps.
func (t *Timings) All() iter.Seq2[string, *time.Duration] {
	return func(yield func(string, *time.Duration) bool) {
		_ = yield("receive", &t.Receive) && yield("identify", &t.Identify) && yield("find", &t.Find) &&
			yield("check_pin", &t.CheckPIN) && yield("read_photo", &t.ReadPhoto) && yield("open_entry", &t.OpenEntry) &&
			yield("wait", &t.Wait) && yield("store_photo", &t.StorePhoto) && yield("store_record", &t.StoreRecord)
	}
}
