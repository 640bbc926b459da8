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
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
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
	opener := azureblob.URLOpener{MakeClient: azureblob.NewDefaultClient, ServiceURLOptions: *azureblob.NewDefaultServiceURLOptions()}
	if cmp.Or(parameters.Get("storage_account"), opener.ServiceURLOptions.AccountName) == "" {
		return provider{}, errors.New("no storage account: name it in AZURE_STORAGE_ACCOUNT, or with storage_account= in the URL")
	}
	return provider{
		name: fmt.Sprintf("the container %q", name),
		rights: rights{
			write: "blobs/write (w in a SAS)", read: "blobs/read (r in a SAS)", remove: "blobs/delete (d in a SAS)",
			list: "blobs/read on the container (l in a SAS)",
		},
		identity: "AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING or an identity",
		connect: func(ctx context.Context) (*connection, error) {
			objects, err := opener.OpenBucketURL(ctx, &url.URL{Host: name, RawQuery: parameters.Encode()})
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errNoCredentials, err)
			}
			var client *container.Client
			objects.As(&client)
			base, _, _ := strings.Cut(client.URL(), "?") // without the SAS
			return &connection{objects, base + "/", signAzblob(client, base+"/")}, nil
		},
	}, nil
}

// signAzblob signs as gocloud does, but for two things: what that signs is
// valid from this machine's time on, which may be later than Azure's, and has
// %2F for the slashes of the name.
func signAzblob(client *container.Client, base string) signer {
	return func(_ context.Context, name string, lifetime time.Duration) (string, error) {
		address, err := client.NewBlobClient(name).GetSASURL(sas.BlobPermissions{Read: true}, time.Now().Add(lifetime), nil)
		if errors.Is(err, bloberror.MissingSharedKeyCredential) {
			err = fmt.Errorf("%w: only the account's key can sign", errNoCredentials)
		}
		_, signature, _ := strings.Cut(address, "?")
		return base + name + "?" + signature, err
	}
}
