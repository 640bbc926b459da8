package contracttests

import (
	"context"
	"errors"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
)

// spoilRemove makes a CustomerRepo with another RemoveCustomer.
func spoilRemove(remove func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		bad.remove = func(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			return remove(ctx, good, ref, deletePhoto)
		}
	})
}

func badRemoves() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"FindCustomer finds who was removed", []string{"remove", "remove_at_once", "remove_cut_off"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var removed sync.Map
			bad.remove = func(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
				err := good.RemoveCustomer(ctx, ref, deletePhoto)
				removed.Store(ref, err == nil)
				return err
			}
			bad.findRef = func(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
				found, err := good.FindCustomer(ctx, ref)
				if _, was := removed.Load(ref); was {
					return found, nil
				}
				return found, err
			}
		})},
		{"the lock of the namesake in fleet 690 is removed too", []string{"remove_leaves_others"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			err := good.RemoveCustomer(ctx, ref, deletePhoto)
			if err == nil {
				_ = good.ResetPINLock(ctx, domain.CustomerRef{Fleet: 690, Customer: ref.Customer})
			}
			return err
		})},
		{"nobody else may have the phone number of who was removed", []string{"remove_frees_phone"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var owners sync.Map
			bad.add = func(ctx context.Context, added domain.CustomerImport) ([]domain.ImportResult, error) {
				number := domain.CustomerRef{Fleet: added.Ref.Fleet, Customer: domain.CustomerID(added.Phone)}
				if owner, taken := owners.Load(number); taken && owner != added.Ref {
					return []domain.ImportResult{domain.PhoneTaken}, nil
				}
				results, err := importsOne(ctx, good, added)
				if err == nil {
					owners.Store(number, added.Ref)
				}
				return results, err
			}
		})},
		{"who is added again has the photo's record from before", []string{"remove_then_add"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var before sync.Map
			bad.remove = func(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
				if known, err := good.FindCustomer(ctx, ref); err == nil {
					before.Store(ref, known.Photo)
				}
				return good.RemoveCustomer(ctx, ref, deletePhoto)
			}
			bad.add = func(ctx context.Context, added domain.CustomerImport) ([]domain.ImportResult, error) {
				results, err := importsOne(ctx, good, added)
				if record, was := before.Load(added.Ref); was && err == nil {
					_ = records(added.Ref, record.(domain.PhotoRecord))(ctx, good)
				}
				return results, err
			}
		})},
		{"deletePhoto runs twice", []string{"remove_runs_once", "remove_cut_off", "remove_at_once"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			return good.RemoveCustomer(ctx, ref, func(ctx context.Context) error {
				if err := deletePhoto(ctx); err != nil {
					return err
				}
				return deletePhoto(ctx)
			})
		})},
		{"deletePhoto runs where there is no customer", []string{"remove_unknown_customer", "remove", "remove_cut_off", "remove_at_once"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			err := good.RemoveCustomer(ctx, ref, deletePhoto)
			if errors.Is(err, domain.CustomerNotFound) {
				_ = deletePhoto(ctx)
			}
			return err
		})},
		{"removing nobody is no error", []string{"remove_unknown_customer", "remove", "remove_cut_off", "remove_at_once"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			if err := good.RemoveCustomer(ctx, ref, deletePhoto); !errors.Is(err, domain.CustomerNotFound) {
				return err
			}
			return nil
		})},
		{"the ctx of deletePhoto doesn't end", []string{"remove_ctx"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			return good.RemoveCustomer(ctx, ref, func(ctx context.Context) error { return deletePhoto(live(ctx)) })
		})},
		{"the record is gone when ctx ends meanwhile", []string{"remove_cut_off"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			ran := false
			err := good.RemoveCustomer(ctx, ref, func(ctx context.Context) error {
				failure := deletePhoto(ctx)
				ran = failure == nil
				return failure
			})
			if ran && err != nil {
				_ = records(ref, domain.PhotoRecord{})(live(ctx), good)
			}
			return err
		})},
	}
}

func badFailingRemoves() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"a deletePhoto that fails is repeated", []string{"remove_failed_runs_once"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			return good.RemoveCustomer(ctx, ref, func(ctx context.Context) error {
				if deletePhoto(ctx) != nil {
					return deletePhoto(ctx)
				}
				return nil
			})
		})},
		{"the error of deletePhoto becomes a cause", []string{"remove_error_as_it_is"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			var failure error
			err := good.RemoveCustomer(ctx, ref, func(ctx context.Context) error { failure = deletePhoto(ctx); return failure })
			if failure != nil {
				return domain.Errorf(domain.Internal, "deletePhoto failed").WithCause(failure)
			}
			return err
		})},
		{"a customer is removed although deletePhoto fails", []string{"remove_failed_keeps", "remove_failed_unlocks", "remove_error_as_it_is", "remove_failed_runs_once"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			var failure error
			err := good.RemoveCustomer(ctx, ref, func(ctx context.Context) error { failure = deletePhoto(ctx); return nil })
			if failure != nil {
				return failure
			}
			return err
		})},
		{"a panic of deletePhoto becomes an error", []string{"remove_panic_goes_through"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) (err error) {
			defer func() {
				if recover() != nil {
					err = domain.Errorf(domain.Internal, "panic")
				}
			}()
			return good.RemoveCustomer(ctx, ref, deletePhoto)
		})},
		{"a customer is removed although deletePhoto panics", []string{"remove_panic_keeps", "remove_panic_unlocks"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			var cause any
			err := good.RemoveCustomer(ctx, ref, func(ctx context.Context) error {
				defer func() { cause = recover() }()
				return deletePhoto(ctx)
			})
			if cause != nil {
				panic(cause)
			}
			return err
		})},
	}
}
