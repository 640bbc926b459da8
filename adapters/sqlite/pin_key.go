package sqlite

import (
	"context"
	"database/sql"

	"github.com/fleetphoto/fleetphoto/domain"
)

// BindPINKey implements ports.PINKeyBinder.
func (r *CustomerRepo) BindPINKey(ctx context.Context, key domain.PINKeyFingerprint) error {
	return r.db.write(ctx, "bind PIN key", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO pin_key (id, fingerprint) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET fingerprint = ?1
			WHERE NOT EXISTS (SELECT 1 FROM customers WHERE pin_hash IS NOT NULL)`, key[:])
		if err != nil {
			return err
		}
		var bound domain.PINKeyFingerprint
		err = tx.QueryRowContext(ctx, `SELECT fingerprint FROM pin_key`).Scan(digestColumn{(*[32]byte)(&bound)})
		if err == nil && bound != key {
			return domain.Errorf(domain.Conflict, "the stored PINs were hashed under another key")
		}
		return err
	})
}
