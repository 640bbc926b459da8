package operator

import (
	"context"
	"fmt"
	"math"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// countPhones says how many stored phone numbers no caller sends, of as many as
// can be read in CallTimeout.
func (d *Doctor) countPhones(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, usecase.CallTimeout)
	defer cancel()
	countries, err := d.countries(ctx)
	if err != nil {
		return "", err
	}
	after := domain.CustomerRef{Customer: math.MaxInt64} // probes are before it
	for read, odd := 0, 0; ; {
		page, err := d.Directory.Customers(ctx, after, exportPage)
		switch {
		case err != nil && read > 0 && ctx.Err() != nil:
			return describeOdd(odd, fmt.Sprintf("the first %d", read)), nil
		case err != nil:
			return "", err
		}
		for _, customer := range page {
			after = customer.Ref
			if customer.Phone.CheckStored(countries[customer.Ref.Fleet]) != nil {
				odd++
			}
		}
		if read += len(page); len(page) < exportPage {
			return describeOdd(odd, fmt.Sprint(read)), nil
		}
	}
}

// countries are those of the fleets, where they can be listed.
func (d *Doctor) countries(ctx context.Context) (map[domain.FleetID]domain.CountryCode, error) {
	if d.FleetList == nil {
		return nil, nil
	}
	fleets, err := d.FleetList.Fleets(ctx)
	countries := map[domain.FleetID]domain.CountryCode{}
	for _, fleet := range fleets {
		countries[fleet.ID] = fleet.Country
	}
	return countries, err
}

func describeOdd(odd int, of string) string {
	if odd == 0 {
		return "of " + of + " customers all"
	}
	return fmt.Sprintf("of %s customers %d have a number that no caller sends, without its country code or too short; what customer export writes, customer import --dry-run rejects with the reasons", of, odd)
}
