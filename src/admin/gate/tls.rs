//! TLS as `web-config.yml` asks for it, spoken by rustls.

use std::{io, sync::Arc};

use rustls::{
    CipherSuite, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, SupportedKxGroup, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};

use super::{
    clients::{AnyClient, NamedClient},
    web_config::{Sources, TlsSection},
};
use crate::metrics::TlsFailure;

/// How TLS is spoken.
#[derive(Debug)]
pub(super) struct Tls {
    pub config: Arc<ServerConfig>,
    /// When the first of our certificates ends, in seconds since 1970.
    pub ends: Option<i64>,
    /// The same of the authorities that clients must come from.
    pub client_ca_ends: Option<i64>,
    /// Whether only clients with a certificate that was verified come in.
    pub verifies: bool,
}

/// How clients are asked for a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ClientAuth {
    No,
    Request,
    RequireAny,
    VerifyIfGiven,
    RequireAndVerify,
}

/// Names that Go has for cipher suites of TLS 1.2 and that are not spoken here.
const OTHER_SUITES: [&str; 10] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
];
const OTHER_CURVES: [&str; 2] = ["CurveP521", "X25519MLKEM768"];

/// Whether the section says anything; an empty one means plain HTTP, as it does for the exporters.
pub(super) fn is_wanted(section: &TlsSection) -> bool {
    let texts = [
        &section.cert,
        &section.client_ca,
        &section.cert_file,
        &section.key_file,
        &section.client_ca_file,
        &section.client_auth_type,
        &section.min_version,
        &section.max_version,
    ];
    let given = |text: &&Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    texts.iter().any(given)
        || section.key.as_ref().is_some_and(|key| !key.0.is_empty())
        || section.client_allowed_sans.is_some()
        || section.cipher_suites.is_some()
        || section.curve_preferences.is_some()
}

/// What rustls needs; `None` if there is a problem.
pub(super) fn build(
    section: &TlsSection,
    from: &mut Sources<'_>,
    warnings: &mut Vec<String>,
) -> Option<Tls> {
    let before = from.problems.len();
    let certificates =
        certificates("cert", section.cert.as_deref(), section.cert_file.as_deref(), from);
    let inline = section.key.as_ref().map(|key| key.0.as_str());
    let key = from.take("key", inline, section.key_file.as_deref());
    let key = key.and_then(|pem| PrivateKeyDer::from_pem_slice(&pem).ok());
    if certificates.is_empty() {
        from.problem("there is no certificate; set cert_file, in PEM".to_owned());
    }
    if key.is_none() {
        from.problem("there is no private key; set key_file, in PEM without a password".to_owned());
    }
    let versions = versions(section, from);
    let provider = Arc::new(CryptoProvider {
        cipher_suites: suites(section, from, warnings),
        kx_groups: curves(section, from, warnings),
        ..ring::default_provider()
    });
    let clients = clients(section, from, &provider, warnings);
    if from.problems.len() > before {
        return None;
    }
    let ((verifier, verifies, client_ca_ends), key) = (clients?, key?);
    let ends = certificates.iter().filter_map(end).min();
    let has_clients = verifier.is_some();
    let built = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .and_then(|builder| {
            let builder = match verifier {
                Some(verifier) => builder.with_client_cert_verifier(verifier),
                None => builder.with_no_client_auth(),
            };
            builder.with_single_cert(certificates, key)
        });
    match built {
        Ok(mut config) => {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            config.ignore_client_order = section.prefer_server_cipher_suites.unwrap_or(true);
            if has_clients {
                // A resumed session would be let in without its certificate being looked at again.
                config.session_storage = Arc::new(NoServerSessionStorage {});
                config.send_tls13_tickets = 0;
            }
            Some(Tls { config: Arc::new(config), ends, client_ca_ends, verifies })
        }
        Err(error) => {
            from.problem(format!(
                "cannot be used: {error}; does the key belong to the certificate?"
            ));
            None
        }
    }
}

fn certificates(
    key: &str,
    inline: Option<&str>,
    file: Option<&str>,
    from: &mut Sources<'_>,
) -> Vec<CertificateDer<'static>> {
    let pem = from.take(key, inline, file).unwrap_or_default();
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.unwrap_or_else(|_| {
        from.problem(format!("{key} is not a certificate in PEM"));
        Vec::new()
    });
    if let Some(number) = certificates.iter().position(|certificate| end(certificate).is_none()) {
        from.problem(format!("{key}: certificate {} in the file is broken", number + 1));
    }
    certificates
}

/// When a certificate ends.
fn end(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn versions(
    section: &TlsSection,
    from: &mut Sources<'_>,
) -> Vec<&'static SupportedProtocolVersion> {
    let mut version = |key: &str, given: &Option<String>, otherwise: u8| match given.as_deref() {
        None | Some("") => otherwise,
        Some("TLS12") => 12,
        Some("TLS13") => 13,
        Some(old @ ("TLS10" | "TLS11")) => {
            from.problem(format!("{key}: {old} is broken and not spoken here; set TLS12 or TLS13"));
            otherwise
        }
        Some(other) => {
            from.problem(format!("{key}: {other:?} is not known; set TLS12 or TLS13"));
            otherwise
        }
    };
    let least = version("min_version", &section.min_version, 12);
    let most = version("max_version", &section.max_version, 13);
    if least > most {
        from.problem("min_version is above max_version".to_owned());
    }
    let mut versions = Vec::new();
    if most >= 13 {
        versions.push(&TLS13);
    }
    if least <= 12 {
        versions.push(&TLS12);
    }
    versions
}

fn suites(
    section: &TlsSection,
    from: &mut Sources<'_>,
    warnings: &mut Vec<String>,
) -> Vec<rustls::SupportedCipherSuite> {
    let all = ring::ALL_CIPHER_SUITES;
    let Some(wanted) = section.cipher_suites.as_ref().filter(|wanted| !wanted.is_empty()) else {
        return all.to_vec();
    };
    // Those of TLS 1.3 cannot be chosen, here as little as in Go.
    let modern = |suite: &&rustls::SupportedCipherSuite| suite.tls13().is_some();
    let mut suites: Vec<_> = all.iter().filter(modern).copied().collect();
    let before = suites.len();
    let mut only_modern = true;
    for name in wanted {
        let named = |suite: CipherSuite| {
            format!("{suite:?}").replace("TLS13_", "TLS_").trim_end_matches("_SHA256")
                == name.trim_end_matches("_SHA256")
        };
        match all.iter().find(|suite| named(suite.suite())) {
            Some(suite) if suite.tls13().is_some() => {}
            Some(suite) => {
                only_modern = false;
                suites.push(*suite);
            }
            None if OTHER_SUITES.contains(&name.as_str()) => {
                only_modern = false;
                warnings.push(format!(
                    "tls_server_config: cipher_suites: {name} is weak and never offered"
                ));
            }
            None => from.problem(format!("cipher_suites: {name:?} is not known")),
        }
    }
    if suites.len() == before && !only_modern {
        from.problem(
            "cipher_suites: none of them is offered; name one such as \
             TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, or leave the key out"
                .to_owned(),
        );
    }
    suites
}

fn curves(
    section: &TlsSection,
    from: &mut Sources<'_>,
    warnings: &mut Vec<String>,
) -> Vec<&'static dyn SupportedKxGroup> {
    let Some(wanted) = section.curve_preferences.as_ref().filter(|wanted| !wanted.is_empty())
    else {
        return ring::ALL_KX_GROUPS.to_vec();
    };
    let mut curves: Vec<&'static dyn SupportedKxGroup> = Vec::new();
    let mut known = true;
    for name in wanted {
        match name.as_str() {
            "X25519" => curves.push(ring::kx_group::X25519),
            "CurveP256" => curves.push(ring::kx_group::SECP256R1),
            "CurveP384" => curves.push(ring::kx_group::SECP384R1),
            other if OTHER_CURVES.contains(&other) => {
                warnings.push(format!(
                    "tls_server_config: curve_preferences: {other} is never offered"
                ));
            }
            other => {
                known = false;
                from.problem(format!(
                    "curve_preferences: {other:?} is not known; there are X25519, CurveP256 and CurveP384"
                ));
            }
        }
    }
    if curves.is_empty() && known {
        from.problem(
            "curve_preferences: none of them is offered; there are X25519, CurveP256 and CurveP384"
                .to_owned(),
        );
    }
    curves
}

/// Who checks clients, whether every client is verified, and when their authority ends.
type Clients = (Option<Arc<dyn ClientCertVerifier>>, bool, Option<i64>);

fn clients(
    section: &TlsSection,
    from: &mut Sources<'_>,
    provider: &Arc<CryptoProvider>,
    warnings: &mut Vec<String>,
) -> Option<Clients> {
    use ClientAuth::{No, Request, RequireAndVerify, RequireAny, VerifyIfGiven};
    let auth = match section.client_auth_type.as_deref().unwrap_or_default() {
        "" | "NoClientCert" => No,
        "RequestClientCert" => Request,
        "RequireAnyClientCert" | "RequireClientCert" => RequireAny,
        "VerifyClientCertIfGiven" => VerifyIfGiven,
        "RequireAndVerifyClientCert" => RequireAndVerify,
        other => {
            from.problem(format!(
                "client_auth_type: {other:?} is not known; there are NoClientCert, RequestClientCert, \
                 RequireAnyClientCert, VerifyClientCertIfGiven and RequireAndVerifyClientCert"
            ));
            return None;
        }
    };
    let inline = section.client_ca.as_ref().is_some_and(|text| !text.is_empty());
    let file = section.client_ca_file.as_ref().is_some_and(|text| !text.is_empty());
    let has_ca = inline || file;
    let authorities = certificates(
        "client_ca",
        section.client_ca.as_deref(),
        section.client_ca_file.as_deref(),
        from,
    );
    let verifies = matches!(auth, VerifyIfGiven | RequireAndVerify);
    if has_ca && auth == No {
        from.problem(
            "there is a client_ca, but client_auth_type does not ask for a certificate; set \
             RequireAndVerifyClientCert"
                .to_owned(),
        );
    }
    if (verifies || has_ca) && authorities.is_empty() {
        from.problem(
            "client_ca_file must hold the certificates, in PEM, of those who sign clients"
                .to_owned(),
        );
    }
    if section.client_allowed_sans.is_some() && !matches!(auth, RequireAny | RequireAndVerify) {
        from.problem(
            "client_allowed_sans needs client_auth_type RequireAndVerifyClientCert: other clients \
             come without a name"
                .to_owned(),
        );
    }
    if matches!(auth, Request | RequireAny) {
        warnings.push(
            "tls_server_config: client_auth_type accepts a certificate that anybody can make; set \
             RequireAndVerifyClientCert"
                .to_owned(),
        );
    }
    let ends = authorities.iter().filter_map(end).min();
    let names = section.client_allowed_sans.clone();
    let verifier: Arc<dyn ClientCertVerifier> = match auth {
        No => return Some((None, false, None)),
        Request | RequireAny => {
            Arc::new(AnyClient::new(auth == RequireAny, provider.signature_verification_algorithms))
        }
        VerifyIfGiven | RequireAndVerify => {
            let mut roots = RootCertStore::empty();
            for authority in authorities {
                if let Err(error) = roots.add(authority) {
                    from.problem(format!("client_ca: {error}"));
                }
            }
            let roots = Arc::new(roots);
            let mut builder =
                WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
            if auth == VerifyIfGiven {
                builder = builder.allow_unauthenticated();
            }
            builder.build().ok()?
        }
    };
    let verifier = match names {
        Some(names) => Arc::new(NamedClient::new(verifier, names)),
        None => verifier,
    };
    Some((Some(verifier), auth == RequireAndVerify, ends))
}

/// Why a handshake failed, for the counter.
pub(super) fn failure(error: &io::Error) -> TlsFailure {
    use rustls::{CertificateError as Bad, Error};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        None => TlsFailure::GaveUp,
        Some(Error::NoCertificatesPresented) => TlsFailure::NoCertificate,
        Some(Error::PeerIncompatible(_) | Error::NoApplicationProtocol) => TlsFailure::Incompatible,
        Some(Error::AlertReceived(_)) => TlsFailure::Alert,
        Some(Error::InvalidMessage(_)) => TlsFailure::NotTls,
        Some(Error::InvalidCertificate(bad)) => match bad {
            Bad::UnknownIssuer | Bad::BadSignature => TlsFailure::UnknownCa,
            Bad::Expired
            | Bad::ExpiredContext { .. }
            | Bad::NotValidYet
            | Bad::NotValidYetContext { .. } => TlsFailure::Expired,
            Bad::ApplicationVerificationFailure => TlsFailure::WrongName,
            _ => TlsFailure::BadCertificate,
        },
        Some(_) => TlsFailure::Other,
    }
}
