package operator_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// busy is a store beside which something happens whenever a photo is read.
type busy struct {
	ports.PhotoStore
	happens func()
}

func (b busy) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	b.happens()
	defer b.happens()
	return b.PhotoStore.Open(ctx, key)
}

// TestBackUpWithCutOffs backs up three times what changes before, between and during
// both copies. Whatever was cut off, nothing of the server's is changed, the next
// backup isn't hindered, and the backup has what the server's record or store had.
func TestBackUpWithCutOffs(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			m := newMoving(t, random)
			m.moved = true // only calls, removals and Repairs happen
			act := func(most int) {
				for range random.IntN(most) {
					m.act(random, []int{0}, false)
				}
			}
			backup, photos := memory.NewAt(func() time.Time { return m.now }), memory.NewPhotoStore()
			for range 3 {
				act(8)
				said, reports, err := copyAll(t, database(m.db), database(backup), func(c *operator.CopyDatabase) { c.Delete = true })
				if err != nil || slices.ContainsFunc(reports, func(r operator.CopiedPart) bool { return r.Wrong() > 0 }) {
					t.Errorf("got %+v, %v, %q", reports, err, said)
				}
				act(8)
				m.backUp(photos)
				if random.IntN(2) == 0 {
					m.backUpPhotos(photos, busy{m.stores[0].PhotoStore, func() { act(3) }})
				}
			}
			m.explain()
		}) {
			break
		}
	}
}

// backUp copies the photos while nothing happens, and checks what that did.
func (m *moving) backUp(photos *memory.PhotoStore) {
	live, stored := contents(m.t, database(m.db)), heldBy(m.t, m.stores[0].PhotoStore, customer)
	m.backUpPhotos(photos, m.stores[0].PhotoStore)
	if !reflect.DeepEqual(contents(m.t, database(m.db)), live) || heldBy(m.t, m.stores[0].PhotoStore, customer) != stored {
		m.t.Error("the backup changed what it copies")
	}
	found, err := m.db.CustomerRepo.FindCustomer(m.t.Context(), customer)
	recorded := found.Photo.Info
	held := heldBy(m.t, photos, customer)
	if err == nil && held.SHA256 != stored.SHA256 && held.SHA256 != recorded.SHA256 && (stored.Exists() || !recorded.Exists()) || err != nil && held.Exists() {
		m.t.Errorf("the backup holds %v, the server's store %v, its record says %v; %v", held, stored, recorded, err)
	}
}

func (m *moving) backUpPhotos(photos *memory.PhotoStore, from ports.PhotoStore) {
	to := &usecase.ChangePhoto{Customers: m.db.CustomerRepo, Photos: photos, Store: "backup", Log: m.db.ApiLog, Clock: m.servers[0].Clock}
	copying := operator.CopyPhotos{
		Directory: m.db.CustomerRepo, From: from, To: to, Backup: true,
		Repairs:  []*usecase.Repair{{Changes: m.servers[0], Again: true}, {Changes: to, Again: true}},
		Orphans:  &operator.OrphanPhotos{Customers: m.db.CustomerRepo, Lister: photos, Photos: photos, Clock: to.Clock, Delete: true},
		Parallel: 1, Found: func(f operator.Finding) { m.step("%v", f) }, Passed: func(operator.Progress) {},
	}
	if report, err := copying.Do(m.t.Context(), domain.CustomerRef{}); err != nil {
		m.t.Errorf("photos copy: %+v, %v", report, err)
	}
}
