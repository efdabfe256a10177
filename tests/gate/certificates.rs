//! Authorities and certificates, made anew for each test.

use std::{fs, path::Path};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};

/// Who signs.
pub(super) struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// Makes one; its certificate is written to `NAME.crt`.
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.join(format!("{name}.crt")), certificate.pem()).unwrap();
        Self(Issuer::new(params, key))
    }

    /// Signs a certificate for `san` that ends with `year`; writes `NAME.crt` and `NAME.key`.
    pub(super) fn sign(&self, folder: &Path, name: &str, san: &str, year: i32) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![san.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 12, 31);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.0).unwrap();
        fs::write(folder.join(format!("{name}.crt")), certificate.pem()).unwrap();
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// A server, and clients good and bad: everything that the tests of client certificates need.
pub(super) fn fleet(folder: &Path) {
    let servers = Authority::new(folder, "servers-ca");
    servers.sign(folder, "server", "localhost", 2099);
    let clients = Authority::new(folder, "clients-ca");
    clients.sign(folder, "central", "central.example", 2099);
    clients.sign(folder, "stranger", "stranger.example", 2099);
    clients.sign(folder, "late", "central.example", 2021);
    Authority::new(folder, "others-ca").sign(folder, "forged", "central.example", 2099);
}
