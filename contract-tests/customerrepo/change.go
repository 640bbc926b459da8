package customerrepo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

func changeClauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	given := clause.Steps(has(alice, bob, namesake), records(alice.Ref, photoRecord(1)), records(namesake.Ref, photoRecord(2)))
	return slices.Concat(changePhoto.clauses(given, holdsRecord(alice, photoRecord(1))), []clauseOf{
		clause.New(
			"change_stores_record", "ChangePhoto stores the record that change returns, whole",
			clause.Steps(has(alice), storesEach(alice, oddRecords())),
		), clause.New(
			"change_gets_current", "change gets the record as it is before the change, whole",
			clause.Steps(has(alice), getsEach(alice.Ref, oddRecords())),
		), clause.New(
			"change_leaves_others", "ChangePhoto leaves the records of other customers, and of one with the same id in another fleet",
			clause.Steps(given, records(alice.Ref, photoRecord(3)), findsCustomers(bob), holdsRecord(namesake, photoRecord(2))),
		), clause.New(
			"change_unknown_customer", "ChangePhoto fails with CustomerNotFound, without running change, where the customer doesn't exist",
			clause.Steps(has(alice), notFound("ChangePhoto", changePhoto.notRun)),
		), clause.New(
			"change_cut_off", "when ChangePhoto fails because its ctx ended, change ran once or not at all, and the record is the old one or the new one",
			clause.Steps(has(manyCustomers(clause.Attempts)...), clause.CutOff(changeCutOff)),
		), clause.New(
			"change_cut_off_unlocks", "when ChangePhoto fails because its ctx ended, the customer isn't left locked",
			clause.Steps(has(manyCustomers(clause.Attempts)...), clause.CutOff(changeAfterCutOff)),
		),
	})
}

// photoRecord is a record that differs from those with another n in all.
func photoRecord(n int) domain.PhotoRecord {
	return domain.PhotoRecord{
		Info: domain.PhotoInfo{
			SHA256: sha256.Sum256(fmt.Append(nil, "photo ", n)), Size: 300_000 + int64(n), Width: 1024 + n, Height: 768 + n,
		},
		ChangedAt: noon.Add(time.Duration(n) * time.Microsecond),
		ChangedBy: domain.ApiLogID(2_288_346 + n),
		Version:   domain.PhotoVersion(fmt.Sprintf(`"etag %d"`, n)),
		Store:     domain.PhotoStoreName(fmt.Sprint("s3://photos/", n)),
	}
}

// oddRecords are records that a careless adapter doesn't store whole. The last
// is that of a photo that was never changed.
func oddRecords() []domain.PhotoRecord {
	deleted, repaired, huge, texts, old := photoRecord(1), photoRecord(2), photoRecord(3), photoRecord(4), photoRecord(5)
	deleted.Info, deleted.Version = domain.PhotoInfo{}, domain.NoPhoto
	repaired.ChangedBy = 0
	huge.Info.Size, huge.ChangedBy = math.MaxInt32+1, math.MaxInt64
	huge.Version, huge.Store = domain.PhotoVersion(strings.Repeat("long ", 200)), domain.PhotoStoreName(strings.Repeat("s3://long ", 200))
	texts.Version, texts.Store = "\"\\x41'%_; --\t«Größe» 📷\n\"", "file:///«Größe» 📷/\\x41?'\"%_; --\t\n"
	old.Version, old.Store = domain.UnknownVersion, ""
	return []domain.PhotoRecord{photoRecord(1), deleted, repaired, huge, texts, old, {}}
}

// records changes the record to one that doesn't depend on what was there.
func records(ref domain.CustomerRef, record domain.PhotoRecord) check {
	return changes(ref, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
		return record, nil
	})
}

func changes(ref domain.CustomerRef, change ports.PhotoChange) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("ChangePhoto(%+v)", ref), repo.ChangePhoto(ctx, ref, change))
	}
}

func storesEach(customer domain.Customer, all []domain.PhotoRecord) check {
	var each []check
	for _, record := range all {
		each = append(each, records(customer.Ref, record), holdsRecord(customer, record))
	}
	return clause.Steps(each...)
}

func getsEach(ref domain.CustomerRef, all []domain.PhotoRecord) check {
	var before domain.PhotoRecord
	var each []check
	for _, record := range all {
		want := before
		each = append(each, changes(ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			return record, clause.Yields("the record that change got", current, nil, want)
		}))
		before = record
	}
	return clause.Steps(each...)
}

func changeCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	changed := customer(689, domain.CustomerID(n))
	if err := records(changed.Ref, photoRecord(1))(ctx, repo); err != nil {
		return false, err
	}
	runs, wrong := 0, error(nil)
	failure := repo.ChangePhoto(ending, changed.Ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		runs++
		wrong = clause.Yields("the record that change got", current, nil, photoRecord(1))
		return photoRecord(2), nil
	})
	if wrong != nil {
		return false, wrong
	}
	isOld, isNew := holdsRecord(changed, photoRecord(1))(ctx, repo), holdsRecord(changed, photoRecord(2))(ctx, repo)
	switch {
	case failure == nil:
		return true, errors.Join(clause.Yields("how often change ran", runs, nil, 1), isNew)
	case runs == 0:
		err = isOld
	case isOld != nil && isNew != nil:
		err = fmt.Errorf("the record is neither the old nor the new one: %w", isNew)
	case runs > 1:
		err = fmt.Errorf("change ran %d times", runs)
	}
	return false, errors.Join(err, clause.FailsWith(domain.Unavailable, "ChangePhoto whose ctx ended", failure))
}

func changeAfterCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	changed := customer(689, domain.CustomerID(n))
	failure := records(changed.Ref, photoRecord(1))(ending, repo)
	return failure == nil, clause.Steps(records(changed.Ref, photoRecord(2)), holdsRecord(changed, photoRecord(2)))(ctx, repo)
}
