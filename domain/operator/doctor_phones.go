package operator

import (
	"context"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// countPhones says how many stored phone numbers no call could have, of as many as
// can be read within CallTimeout.
func (d *Doctor) countPhones(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, usecase.CallTimeout)
	defer cancel()
	countries, err := d.countries(ctx)
	if err != nil {
		return "", err
	}
	after := probes
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

// countries returns the countries of the fleets, or none if fleets can't be listed.
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
		return "all of " + of + " customers"
	}
	return fmt.Sprintf("%d of %s customers have a number that no call could have: it lacks its country code or is too short; to list them, export the customers and run customer import --dry-run on the file", odd, of)
}
