//! The commands that change files, one row each: what they find, what they leave, who agrees.

/// A command, and the folder before and after it. Paths are relative to the folder it runs in.
pub(super) struct Work {
    pub(super) name: &'static str,
    /// The commands that make what it finds.
    pub(super) before: &'static [&'static str],
    /// Removed before it runs: what an earlier command did not come to.
    pub(super) missing: &'static [&'static str],
    pub(super) command: &'static str,
    /// What it adds to what was there.
    pub(super) adds: &'static [Added],
    pub(super) replaces: Replaced,
    /// Programs that end well when it is done.
    pub(super) witnesses: &'static [&'static str],
}

/// Files in a folder.
pub(super) enum Added {
    /// One after the other.
    Files(&'static str, &'static [&'static str]),
    /// All at once.
    Whole(&'static str, &'static [&'static str]),
}

/// Files that are there and are written anew. Everything else stays to the byte.
pub(super) enum Replaced {
    Nothing,
    /// It is the old one, or the one that the finished command leaves.
    File(&'static str),
    /// A list and its record: a number that was used does not come again.
    Numbered {
        list: &'static str,
        record: &'static str,
        ca: &'static str,
    },
}

const INIT: &str = "init ca --no-passphrase";
const ISSUE: &str = "issue c1 c2 --dir ca";
const ONE: &str = "issue c1 --dir ca";
const TIER: &str = "tier prod --dir ca --no-passphrase";
const REQUEST: &str = "request c1 --dir own";
const SIGN: &str = "sign own/c1.request.pem --dir ca --yes";
const ROOTS_LIST: &str = "crl root --dir ca --anew";
const CLUSTERS_LIST: &str = "crl cluster ca/c1 --anew";
const JOIN: &str = "crl join ca/c1";

const ROOT: &[&str] = &["root-ca.conf", "root-cert.csr", "root-cert.pem", "root-key.pem"];
const BUNDLE: &[&str] = &["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"];
const TIERS: &[&str] = &["tier-cert.pem", "tier-key.pem", "tier-root.pem"];

const CLUSTERS: &[Added] = &[Added::Whole("ca/c1", BUNDLE), Added::Whole("ca/c2", BUNDLE)];
const BOTH_ACCEPTED: &[&str] = &[
    "cacerts check ca/c1 ca/c2",
    "openssl verify -x509_strict -CAfile ca/root-cert.pem ca/c1/ca-cert.pem ca/c2/ca-cert.pem",
];
const TIER_FOLLOWED: &[&str] = &[
    "openssl verify -x509_strict -CAfile ca/root-cert.pem ca/prod/tier-cert.pem",
    "cacerts issue c1 --dir ca/prod",
];

pub(super) const WORKS: &[Work] = &[
    Work {
        name: "init",
        before: &[],
        missing: &[],
        command: INIT,
        adds: &[Added::Files("ca", ROOT)],
        replaces: Replaced::Nothing,
        witnesses: &[
            "openssl pkey -noout -in ca/root-key.pem",
            "openssl req -noout -verify -in ca/root-cert.csr",
            "openssl verify -x509_strict -CAfile ca/root-cert.pem ca/root-cert.pem",
            "cacerts issue c1 --dir ca",
        ],
    },
    Work {
        name: "issue",
        before: &[INIT],
        missing: &[],
        command: ISSUE,
        adds: CLUSTERS,
        replaces: Replaced::Nothing,
        witnesses: BOTH_ACCEPTED,
    },
    // strace counts the calls of each thread by itself: one CA is made by one.
    Work {
        name: "issue of one CA",
        before: &[INIT],
        missing: &[],
        command: ONE,
        adds: &[Added::Whole("ca/c1", BUNDLE)],
        replaces: Replaced::Nothing,
        witnesses: &["cacerts check ca/c1"],
    },
    Work {
        name: "issue in a folder that was begun",
        before: &[INIT, ISSUE],
        missing: &["ca/c1/cert-chain.pem", "ca/c1/root-cert.pem"],
        command: ISSUE,
        adds: CLUSTERS,
        replaces: Replaced::Nothing,
        witnesses: BOTH_ACCEPTED,
    },
    Work {
        name: "tier",
        before: &[INIT],
        missing: &[],
        command: TIER,
        adds: &[Added::Whole("ca/prod", TIERS)],
        replaces: Replaced::Nothing,
        witnesses: TIER_FOLLOWED,
    },
    Work {
        name: "tier in a folder that was begun",
        before: &[INIT, TIER],
        missing: &["ca/prod/tier-cert.pem", "ca/prod/tier-root.pem"],
        command: TIER,
        adds: &[Added::Whole("ca/prod", TIERS)],
        replaces: Replaced::Nothing,
        witnesses: TIER_FOLLOWED,
    },
    Work {
        name: "request",
        before: &[],
        missing: &[],
        command: REQUEST,
        adds: &[Added::Whole("own/c1", &["ca-key.pem"]), Added::Files("own", &["c1.request.pem"])],
        replaces: Replaced::Nothing,
        witnesses: &[
            "openssl pkey -noout -in own/c1/ca-key.pem",
            "openssl req -noout -verify -in own/c1.request.pem",
        ],
    },
    Work {
        name: "sign",
        before: &[INIT, REQUEST],
        missing: &[],
        command: SIGN,
        adds: &[Added::Files("own", &["c1.response.pem"])],
        replaces: Replaced::Nothing,
        witnesses: &[
            "openssl verify -x509_strict -CAfile ca/root-cert.pem own/c1.response.pem",
            "cacerts accept own/c1.response.pem --dir own",
        ],
    },
    Work {
        name: "accept",
        before: &[INIT, REQUEST, SIGN],
        missing: &[],
        command: "accept own/c1.response.pem --dir own",
        adds: &[Added::Whole("own/c1", BUNDLE)],
        replaces: Replaced::Nothing,
        witnesses: &[
            "cacerts check own/c1",
            "openssl verify -x509_strict -CAfile ca/root-cert.pem own/c1/ca-cert.pem",
        ],
    },
    Work {
        name: "convert",
        before: &[INIT, ONE],
        missing: &[],
        command: "convert ca/c1 tls",
        adds: &[Added::Whole("tls", &["ca.crt", "tls.crt", "tls.key"])],
        replaces: Replaced::Nothing,
        witnesses: &[
            "cacerts check tls",
            "openssl verify -x509_strict -CAfile tls/ca.crt tls/tls.crt",
        ],
    },
    Work {
        name: "crl root",
        before: &[INIT, ROOTS_LIST],
        missing: &[],
        command: ROOTS_LIST,
        adds: &[],
        replaces: Replaced::Numbered {
            list: "ca/root-crl.pem",
            record: "ca/root-revoked.txt",
            ca: "ca/root-cert.pem",
        },
        witnesses: &[],
    },
    Work {
        name: "crl cluster",
        before: &[INIT, ONE, CLUSTERS_LIST],
        missing: &[],
        command: CLUSTERS_LIST,
        adds: &[],
        replaces: Replaced::Numbered {
            list: "ca/c1.crl.pem",
            record: "ca/c1.revoked.txt",
            ca: "ca/c1/ca-cert.pem",
        },
        witnesses: &[],
    },
    Work {
        name: "crl join",
        before: &[INIT, ONE, ROOTS_LIST, CLUSTERS_LIST, JOIN, ROOTS_LIST],
        missing: &[],
        command: JOIN,
        adds: &[],
        replaces: Replaced::File("ca/c1/ca-crl.pem"),
        witnesses: &[
            "cacerts check ca/c1",
            "openssl verify -crl_check_all -CAfile ca/root-cert.pem -CRLfile ca/c1/ca-crl.pem \
             ca/c1/ca-cert.pem",
        ],
    },
];

impl Work {
    /// Whether a file is one that it may write anew.
    pub(super) fn may_replace(&self, file: &str) -> bool {
        match self.replaces {
            Replaced::Nothing => false,
            Replaced::File(path) => path == file,
            Replaced::Numbered { list, record, .. } => [list, record].contains(&file),
        }
    }
}
