package memory

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// ChangeRecorder is a ports.ChangeRecorder in memory.
type ChangeRecorder struct {
	customers *CustomerRepo
	log       *ApiLog
}

var _ ports.ChangeRecorder = (*ChangeRecorder)(nil)

// ChangePhotoAndClose implements ports.ChangeRecorder.
func (r *ChangeRecorder) ChangePhotoAndClose(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	return r.customers.whileLocked(ctx, ref, change, r.customers.storeRecord, r.closing(entry))
}

// RemoveCustomerAndClose implements ports.ChangeRecorder.
func (r *ChangeRecorder) RemoveCustomerAndClose(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	return r.customers.whileLocked(ctx, ref, change, r.customers.remove, r.closing(entry))
}

func (r *ChangeRecorder) closing(entry domain.ApiLogID) func(domain.Outcome) {
	return func(outcome domain.Outcome) { _ = r.log.close(entry, outcome) } // the change counts even if there is no such entry
}
