package domain

import (
	"encoding/json"
	"time"
)

// Stage is a step of a call whose time is taken.
type Stage int

// The stages, in the order in which a call goes through them.
const (
	Receive     Stage = iota // the body arrives and is parsed
	Identify                 // the fleet is looked up by its key
	Find                     // the customer is looked up
	CheckPIN                 // the attempt is counted and the PIN compared
	ReadPhoto                // the image is checked and, where needed, decoded, scaled and encoded
	OpenEntry                // the log entry is opened, durably
	Wait                     // for the customer's turn
	StorePhoto               // the photo store is changed
	StoreRecord              // the record is stored, durably
	CloseEntry               // the log entry is closed
)

var stageNames = [...]string{
	Receive: "receive", Identify: "identify", Find: "find", CheckPIN: "check_pin", ReadPhoto: "read_photo",
	OpenEntry: "open_entry", Wait: "wait", StorePhoto: "store_photo", StoreRecord: "store_record", CloseEntry: "close_entry",
}

// Stages lists every Stage, in order.
func Stages() []Stage {
	stages := make([]Stage, len(stageNames))
	for i := range stages {
		stages[i] = Stage(i)
	}
	return stages
}

// String returns the name by which logs, metrics and traces call the stage.
func (s Stage) String() string { return stageNames[s] }

// StageTimes is how long each stage took; 0: the call didn't come to it.
type StageTimes [len(stageNames)]time.Duration

// MarshalJSON writes an object of the stages that took any time, in nanoseconds.
func (t StageTimes) MarshalJSON() ([]byte, error) {
	named := map[string]time.Duration{}
	for stage, took := range t {
		if took != 0 {
			named[Stage(stage).String()] = took
		}
	}
	return json.Marshal(named)
}

// UnmarshalJSON reads what MarshalJSON wrote and passes over stages that it
// doesn't know, which another version of the program may have.
func (t *StageTimes) UnmarshalJSON(text []byte) error {
	named := map[string]time.Duration{}
	err := json.Unmarshal(text, &named)
	for stage := range t {
		t[stage] = named[Stage(stage).String()]
	}
	return err
}
