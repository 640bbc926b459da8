package domain_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

func TestStages(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for i, stage := range domain.Stages() {
		if stage != domain.Stage(i) || stage.String() == "" || names[stage.String()] {
			t.Errorf("stage %d is %d with the name %q, want itself with a name of its own", i, stage, stage)
		}
		names[stage.String()] = true
	}
	if len(names) != int(domain.CloseEntry)+1 {
		t.Errorf("there are %d stages, want all up to CloseEntry", len(names))
	}
}

func TestStageTimesForm(t *testing.T) {
	t.Parallel()
	forms := map[string]domain.StageTimes{
		`{}`:                                  {},
		`{"receive":1}`:                       {domain.Receive: 1},
		`{"store_photo":9223372036854775807}`: {domain.StorePhoto: 1<<63 - 1},
		`{"close_entry":2,"wait":1000000000}`: {domain.CloseEntry: 2, domain.Wait: time.Second},
	}
	for _, stage := range domain.Stages() {
		var times domain.StageTimes
		times[stage] = 7
		forms[`{"`+stage.String()+`":7}`] = times
	}
	checkForm(t, forms)
}

func TestStageTimesReadsWhatOthersWrote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]domain.StageTimes{
		`{"dream":5,"wait":6}`: {domain.Wait: 6},
		`null`:                 {},
	} {
		got := domain.StageTimes{domain.Receive: 1} // what was there before
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{`[]`, `{"wait":"6ms"}`, `{"wait":1.5}`, `{"wait":9223372036854775808}`} {
		if got := (domain.StageTimes{}); json.Unmarshal([]byte(text), &got) == nil {
			t.Errorf("%s: got %v and no error", text, got)
		}
	}
}
