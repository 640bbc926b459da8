package operator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// What must hold of a move, wherever calls, removals and copies are cut off, in
// either store, and whenever their requests are carried out. Once the servers run
// on the new store only:
//   - photos copy ends with nothing different, at the latest when it is run again
//     after SettleAfter, and needs no run after that.
//   - From then on the new store's servers alone make record, new store and log
//     agree, and close every entry.
//   - What is left is the photo, or none, of a call that no call follows that
//     began after its caller was answered and that was acknowledged.

// What becomes of the first thing that an action asks for.
const (
	goesWell = ""
	dropped  = "dropped"  // the request isn't carried out, and nobody knows
	done     = "done"     // it is, and nobody knows
	held     = "held"     // it is when it is delivered
	frozen   = "frozen"   // the lock is lost, something else happens, then it is carried out
	overtook = "overtook" // something else happens between the entry and the lock
	unclosed = "unclosed" // the record is stored, and the entry stays open
	unsent   = "unsent"   // no request is sent, and the entry stays open
)

var fates = []string{goesWell, dropped, done, held, frozen, overtook, unclosed, unsent}

// moving is a customer whose photos move, and what was done.
type moving struct {
	t       *testing.T
	now     time.Time
	db      *memory.Backend
	stores  [2]*fickle // the old one and the new one
	servers [2]*usecase.ChangePhoto
	calls   []madeCall
	steps   []string
	fate    string
	during  func() // frozen, overtook: what happens then
	photos  int
	lazy    *rand.Rand // not nil: Repair leaves some entries
	moved   bool       // photos copy isn't run any more
}

// madeCall is a change that somebody asked for, and its place among the steps.
type madeCall struct {
	left         domain.Digest
	begin, end   int
	acknowledged bool
}

// fickle is a store to which requests may be late.
type fickle struct {
	*memory.PhotoStore
	m    *moving
	late []lateRequest
}

type lateRequest struct {
	deliver func()
	at      time.Time
}

func (m *moving) take(fates ...string) string {
	if !slices.Contains(fates, m.fate) {
		return goesWell
	}
	fate := m.fate
	m.fate = goesWell
	return fate
}

func (s *fickle) change(do func() error) error {
	switch s.m.take(dropped, done, held, unsent) {
	case unsent:
		s.m.fate = unclosed
		return domain.Errorf(domain.Unavailable, "not connected").AsUnchanged()
	case dropped:
		return down()
	case done:
		_ = do()
		return down()
	case held:
		s.late = append(s.late, lateRequest{func() { _ = do() }, s.m.now})
		return down()
	}
	return do()
}

func (s *fickle) Put(_ context.Context, key domain.PhotoKey, p domain.Photo, over domain.PhotoVersion) (version domain.PhotoVersion, err error) {
	err = s.change(func() (err error) {
		version, err = s.PhotoStore.Put(context.Background(), key, p, over)
		return err
	})
	return version, err
}

func (s *fickle) Delete(_ context.Context, key domain.PhotoKey, over domain.PhotoVersion) error {
	return s.change(func() error { return s.PhotoStore.Delete(context.Background(), key, over) })
}

// lossy are customers whose lock may be lost.
type lossy struct {
	*memory.CustomerRepo
	m *moving
}

func (r lossy) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return r.locked(ctx, ref, change, r.CustomerRepo.ChangePhoto)
}

func (r lossy) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return r.locked(ctx, ref, change, r.CustomerRepo.RemoveCustomer)
}

func (r lossy) locked(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange, lock func(context.Context, domain.CustomerRef, ports.PhotoChange) error) error {
	switch r.m.take(frozen, overtook) {
	case overtook:
		r.m.during()
	case frozen:
		found, err := r.FindCustomer(ctx, ref)
		if err != nil {
			return err
		}
		r.m.during()
		if _, err := change(ctx, found.Photo, func(context.Context) error { return down() }); err != nil {
			return err
		}
		return down()
	}
	return lock(ctx, ref, change)
}

// mute is a log in which an entry may stay open.
type mute struct {
	*memory.ApiLog
	m *moving
}

func (l mute) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	if outcome.Result != domain.Interrupted && l.m.take(unclosed) == unclosed {
		return errors.New("the process was killed")
	}
	return l.ApiLog.Close(ctx, id, outcome)
}

// Unfinished has Repair look at one entry after the other, and leave some to the
// next Repair, so that they are settled in any order.
func (l mute) Unfinished(ctx context.Context, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
	entries, err := l.ApiLog.Unfinished(ctx, olderThan, after, limit)
	if olderThan == 0 || err != nil || len(entries) == 0 {
		return entries, err
	}
	i := 0
	for l.m.lazy != nil && l.m.lazy.IntN(2) == 0 {
		if i++; i == len(entries) {
			return nil, nil
		}
	}
	return entries[i : i+1], nil
}

func newMoving(t *testing.T, random *rand.Rand) *moving {
	m := &moving{t: t, now: start}
	m.db = memory.NewAt(func() time.Time { return m.now })
	for i, name := range []domain.PhotoStoreName{"old", "new"} {
		skew := time.Duration(random.IntN(3)-1) * 9 * time.Minute / 2
		clock := func() time.Time { return m.now.Add(skew) }
		m.stores[i] = &fickle{PhotoStore: memory.NewPhotoStore(), m: m}
		m.servers[i] = &usecase.ChangePhoto{Customers: lossy{m.db.CustomerRepo, m}, Photos: m.stores[i], Store: name, Log: mute{m.db.ApiLog, m}, Clock: clock}
	}
	m.add()
	m.call(0, m.picture())
	return m
}

func (m *moving) add() {
	if _, err := m.db.CustomerRepo.ImportCustomers(m.t.Context(), []domain.CustomerImport{{Ref: customer, Phone: phone}, {Ref: pinless, Phone: pinlessPhone}}); err != nil {
		m.t.Fatal(err)
	}
}

// addAgain adds the customer whom a call removed. Nothing of a customer of before
// is open by then: nobody could tell their photos apart.
func (m *moving) addAgain() {
	lazy := m.lazy
	m.fate, m.lazy = goesWell, nil
	m.pass(usecase.LateAfter)
	m.repair(0)
	m.repair(1)
	m.lazy = lazy
	m.add()
}

var pictures = func() (all [][]byte) {
	for width := range 40 {
		all = append(all, picture(width+1))
	}
	return all
}()

func (m *moving) picture() []byte {
	m.photos++
	return pictures[m.photos]
}

func (m *moving) step(format string, args ...any) {
	m.pass(0)
	m.steps = append(m.steps, fmt.Sprintf(format, args...))
}

// call has a server change the customer's photo; nil: delete it.
func (m *moving) call(server int, jpeg []byte) {
	call := domain.ApiCall{ReceivedAt: m.servers[server].Clock(), Fleet: customer.Fleet, Customer: customer.Customer, Operation: domain.UpdatePhoto}
	var p domain.Photo
	if jpeg != nil {
		p = usecasetest.Must(domain.NewPhoto(bytes.Clone(jpeg), 1, 1))
	}
	m.made(p.Info().SHA256, func() error { _, err := m.servers[server].Do(m.t.Context(), call, p); return err })
}

func (m *moving) remove(server int) {
	call := domain.ApiCall{ReceivedAt: m.servers[server].Clock(), Fleet: customer.Fleet, Customer: customer.Customer, Operation: domain.RemoveCustomer}
	m.made(domain.Digest{}, func() error {
		_, err := m.servers[server].Remove(m.t.Context(), lossy{m.db.CustomerRepo, m}, call)
		return err
	})
}

// made notes a call unless it surely changed nothing.
func (m *moving) made(left domain.Digest, call func() error) {
	begin := len(m.steps)
	m.step("begin")
	err := call()
	m.step("end: %v", err)
	if err == nil || !domain.AsError(err).Unchanged {
		m.calls = append(m.calls, madeCall{left, begin, len(m.steps), err == nil})
	}
}

func (m *moving) repair(server int) {
	_, _ = (&usecase.Repair{Changes: m.servers[server]}).Do(m.t.Context()) // what fails is for the next one
}

func (m *moving) copy(reversed bool) bool {
	repairs := []*usecase.Repair{{Changes: m.servers[0], Again: true}, {Changes: m.servers[1], Again: true}}
	if reversed {
		slices.Reverse(repairs)
	}
	found := func(f operator.Finding) { m.step("%v, settled %v", f, f.Settled) }
	copying := operator.CopyPhotos{
		Directory: m.db.CustomerRepo, From: m.stores[0], To: m.servers[1], Repairs: repairs,
		Orphans:  &operator.OrphanPhotos{Customers: m.db.CustomerRepo, Lister: m.stores[1], Photos: m.stores[1], Clock: m.servers[1].Clock, Delete: true},
		Parallel: 1, Found: found, Passed: func(operator.Progress) {},
	}
	report, err := copying.Do(m.t.Context(), domain.CustomerRef{})
	m.step("copied %+v, %v", report, err)
	return err == nil && report.Different() == 0
}

// deliver carries out the late requests of a store, one that is too late not.
func (m *moving) deliver(store int) {
	for _, request := range m.stores[store].late {
		if m.now.Sub(request.at) < usecase.LateAfter {
			request.deliver()
		}
	}
	m.stores[store].late = nil
}

func (m *moving) pass(d time.Duration) { m.now = m.now.Add(d + time.Microsecond) }

// act does one of the things that happen, chosen from random.
func (m *moving) act(random *rand.Rand, servers []int, nested bool) {
	server := servers[random.IntN(len(servers))]
	fate, kind := fates[random.IntN(len(fates))], random.IntN(11)
	if nested {
		fate = []string{goesWell, dropped, done, held}[random.IntN(4)]
	} else {
		m.during = func() { m.act(random, servers, true) }
	}
	if m.moved && (kind == 6 || kind == 7) {
		kind = 5
	}
	m.fate = fate
	m.step("%d on %d, %s", kind, server, fate)
	switch kind {
	case 0, 1, 2:
		m.call(server, m.picture())
	case 3, 4:
		m.call(server, nil)
	case 5:
		m.repair(server)
	case 6, 7:
		m.copy(random.IntN(2) == 0)
	case 8:
		m.deliver(random.IntN(2))
	case 9:
		m.pass([]time.Duration{time.Minute, usecase.SettleAfter, usecase.LateAfter}[random.IntN(3)])
	case 10:
		if _, err := m.db.CustomerRepo.FindCustomer(m.t.Context(), customer); err == nil {
			m.remove(server)
		} else {
			m.addAgain()
		}
	}
	m.fate = goesWell
}

// finish has the servers run on the new store alone, and photos copy once more,
// and checks what is left. Things may happen after the copies.
func (m *moving) finish(reversed bool, happens func()) {
	if !m.copy(reversed) {
		happens()
		m.pass(usecase.SettleAfter)
		if !m.copy(!reversed) {
			m.t.Errorf("photos copy finds differences the second time")
		}
	}
	m.stores[0].late, m.moved = nil, true // nobody reads that store
	happens()
	m.deliver(1)
	for _, age := range []time.Duration{usecase.SettleAfter, usecase.LateAfter, usecase.LateAfter} {
		m.pass(age)
		m.repair(1)
	}
	m.check()
	m.explain()
}

func (m *moving) check() {
	stored := heldBy(m.t, m.stores[1], customer)
	found, err := m.db.CustomerRepo.FindCustomer(m.t.Context(), customer)
	if err == nil && found.Photo.Info.SHA256 != stored.SHA256 {
		m.t.Errorf("the record says %v in %q, the new store holds %v", found.Photo.Info, found.Photo.Store, stored)
	}
	if err != nil && stored.Exists() {
		m.t.Errorf("the new store holds a photo of a customer who was removed")
	}
	if open := usecasetest.Must(m.db.ApiLog.Unfinished(m.t.Context(), 0, 0, 100)); len(open) > 0 {
		m.t.Errorf("entries stay open: %+v", open)
	}
	overtaken := func(c madeCall) bool {
		return slices.ContainsFunc(m.calls, func(later madeCall) bool { return later.acknowledged && later.begin >= c.end })
	}
	// After a deletion that went unanswered, what a late request stores stays.
	deleted := slices.ContainsFunc(m.calls, func(c madeCall) bool { return c.left == (domain.Digest{}) && !c.acknowledged && !overtaken(c) })
	explained := slices.ContainsFunc(m.calls, func(c madeCall) bool {
		return c.left == stored.SHA256 && (deleted || !overtaken(c))
	})
	if !explained {
		m.t.Errorf("no call explains that the new store holds %v", stored)
	}
}

func (m *moving) explain() {
	if !m.t.Failed() {
		return
	}
	widths := map[domain.Digest]int{}
	for _, jpeg := range pictures {
		info := photo.Describe(jpeg)
		widths[info.SHA256] = info.Width
	}
	for _, c := range m.calls {
		m.t.Logf("steps %d to %d left photo %d, acknowledged is %v", c.begin, c.end, widths[c.left], c.acknowledged)
	}
	m.t.Log(strings.Join(m.steps, "\n"))
}

// cutOff makes a call, or whatever else, whose first request goes so.
func (m *moving) cutOff(fate string, what func()) {
	m.fate = fate
	what()
	m.fate = goesWell
}

// TestMove has the moves in it that showed what a rule is for.
func TestMove(t *testing.T) {
	t.Parallel()
	copyPhotos := func(m *moving) { m.copy(false) }
	putOn := func(server int) func(*moving) { return func(m *moving) { m.call(server, m.picture()) } }
	deleteOn := func(server int) func(*moving) { return func(m *moving) { m.call(server, nil) } }
	removeOn := func(server int) func(*moving) { return func(m *moving) { m.remove(server) } }
	wait := func(d time.Duration) func(*moving) { return func(m *moving) { m.pass(d) } }
	repairOn := func(server int) func(*moving) { return func(m *moving) { m.repair(server) } }
	deliverTo := func(store int) func(*moving) { return func(m *moving) { m.deliver(store) } }
	cut := func(fate string, what func(*moving)) func(*moving) {
		return func(m *moving) { m.cutOff(fate, func() { what(m) }) }
	}
	during := func(what, other func(*moving)) func(*moving) {
		return func(m *moving) { m.during = func() { other(m) }; what(m) }
	}
	for name, steps := range map[string][]func(*moving){
		"nothing is cut off":                               {},
		"a put that never came, before the copy":           {cut(dropped, putOn(1)), wait(usecase.SettleAfter), repairOn(1)},
		"a put over an older copy":                         {copyPhotos, putOn(0), cut(dropped, putOn(1)), wait(usecase.SettleAfter), repairOn(1)},
		"a put in the old store, overtaken in the new one": {cut(done, putOn(0)), putOn(1), wait(usecase.SettleAfter), repairOn(0)},
		"puts in both stores":                              {cut(done, putOn(0)), cut(done, putOn(1)), wait(usecase.SettleAfter)},
		"a late put after the old store's first look":      {cut(held, putOn(0)), wait(usecase.SettleAfter), repairOn(0), deliverTo(0)},
		"a late put after its deletion in the other store": {deleteOn(0), cut(held, putOn(1)), deleteOn(0)},
		"a deletion that never came, before the copy":      {cut(dropped, deleteOn(1)), wait(usecase.SettleAfter), repairOn(1)},
		"a deletion that wasn't sent":                      {cut(unsent, deleteOn(1)), wait(usecase.SettleAfter), repairOn(1)},
		"a put that wasn't sent":                           {cut(unsent, putOn(1)), wait(usecase.SettleAfter), repairOn(1)},
		"a late copy of what is deleted then":              {cut(held, copyPhotos), deleteOn(1)},
		"a late copy of what is changed in the old store":  {cut(held, copyPhotos), putOn(0), deliverTo(1), wait(usecase.SettleAfter), repairOn(1)},
		"a copy that loses its lock":                       {during(cut(frozen, copyPhotos), putOn(1))},
		"a copy that is overtaken before its lock":         {during(cut(overtook, copyPhotos), putOn(0))},
		"a copy whose entry stays open":                    {cut(unclosed, copyPhotos)},
		"a copy in the middle of a call":                   {during(cut(overtook, putOn(0)), cut(held, copyPhotos)), deliverTo(1), wait(usecase.SettleAfter), repairOn(1)},
		"a put that the old store's servers never settled": {cut(done, putOn(0)), wait(usecase.LateAfter), wait(usecase.LateAfter), repairOn(1)},
		"a late copy of a customer who is added again":     {cut(held, copyPhotos), removeOn(0), (*moving).add},
		"an older copy of a customer who is added again":   {copyPhotos, removeOn(0), (*moving).add, cut(dropped, putOn(1)), wait(usecase.SettleAfter), repairOn(1)},
		"a late copy of a removed customer":                {cut(held, copyPhotos), removeOn(0)},
		"a removal from the old store":                     {copyPhotos, removeOn(0)},
	} {
		for _, reversed := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", Repairs reversed ", reversed), func(t *testing.T) {
				t.Parallel()
				m := newMoving(t, rand.New(rand.NewPCG(0, 0)))
				for _, step := range steps {
					step(m)
				}
				m.finish(reversed, func() {})
			})
		}
	}
}

// TestMoveWithCutOffs has things happen at random while photos move.
func TestMoveWithCutOffs(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			m := newMoving(t, random)
			m.lazy = random
			for range random.IntN(12) {
				m.act(random, []int{0, 1}, false)
			}
			m.lazy = nil
			m.finish(random.IntN(2) == 0, func() {
				for range random.IntN(4) {
					m.act(random, []int{1}, false)
				}
			})
		}) {
			break
		}
	}
}
