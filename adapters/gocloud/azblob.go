package gocloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"gocloud.dev/blob/azureblob"
)

func azblobForms() forms {
	return forms{
		"storage_account": {`[a-z0-9]+`, "the name of the storage account"},
		"domain":          {host, "a host such as blob.core.chinacloudapi.cn"},
		"protocol":        {`https?`, "http or https"},
		"localemu":        trueOrFalse,
	}
}

func newAzblob(name string, parameters url.Values) (provider, error) {
	options := azureblob.NewDefaultServiceURLOptions()
	options.AccountName = cmp.Or(parameters.Get("storage_account"), options.AccountName)
	options.StorageDomain = cmp.Or(parameters.Get("domain"), options.StorageDomain)
	options.Protocol = cmp.Or(parameters.Get("protocol"), options.Protocol)
	if emulator := parameters.Get("localemu"); emulator != "" {
		options.IsLocalEmulator = emulator == "true"
	}
	if options.AccountName == "" {
		return provider{}, errors.New("no storage account: name it in AZURE_STORAGE_ACCOUNT, or with storage_account= in the URL")
	}
	service, err := azureblob.NewServiceURL(options)
	if err != nil {
		return provider{}, err
	}
	return provider{
		name: fmt.Sprintf("the container %q", name),
		base: withoutQuery(string(service)) + "/" + name + "/",
		rights: rights{
			write: "blobs/write (w in a SAS)", read: "blobs/read (r in a SAS)", remove: "blobs/delete (d in a SAS)",
			list: "blobs/read on the container (l in a SAS)",
		},
		identity: "AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING or an identity",
		connect: func(ctx context.Context) (*connection, error) {
			return connectAzblob(ctx, service, name)
		},
	}, nil
}

// withoutQuery takes the SAS out of an address.
func withoutQuery(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}

func connectAzblob(ctx context.Context, service azureblob.ServiceURL, name string) (*connection, error) {
	client, err := azureblob.NewDefaultClient(service, azureblob.ContainerName(name))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	objects, err := azureblob.OpenBucket(ctx, client, nil)
	if err != nil {
		return nil, err
	}
	base := withoutQuery(client.URL()) + "/"
	return &connection{
		bucket: bucket{objects},
		base:   base,
		// gocloud's own is valid from this machine's time on, which may be
		// later than Azure's, and has %2F for the slashes of the key.
		sign: func(_ context.Context, key string, lifetime time.Duration) (string, error) {
			address, err := client.NewBlobClient(key).GetSASURL(sas.BlobPermissions{Read: true}, time.Now().Add(lifetime), nil)
			if errors.Is(err, bloberror.MissingSharedKeyCredential) {
				err = fmt.Errorf("%w: only the account's key can sign", errNoCredentials)
			}
			_, signature, _ := strings.Cut(address, "?")
			return base + key + "?" + signature, err
		},
	}, nil
}
