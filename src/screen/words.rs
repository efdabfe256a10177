//! The few words that the screen has of its own, in both languages.

use crate::scene::Language;

/// Something that the screen says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// The microphone is switched off.
    Muted,
    /// There is no microphone.
    Deaf,
    /// There is no loudspeaker.
    Dumb,
    /// The answer takes longer.
    Wait,
    /// The kiosk is starting.
    Starting,
    /// It cannot work.
    OutOfOrder,
    /// What to do then.
    AskStaff,
    /// What the other language is called on the button that switches to it.
    Other,
}

impl Words {
    /// In a language.
    pub fn in_language(self, language: Language) -> &'static str {
        let (english, chinese) = match self {
            Self::Muted => ("The microphone is off", "麦克风已关闭"),
            Self::Deaf => ("I cannot hear at the moment", "我暂时听不见"),
            Self::Dumb => ("I cannot speak at the moment: please read", "我暂时不能说话，请看屏幕"),
            Self::Wait => ("One moment, please", "请稍候"),
            Self::Starting => ("Just a moment, I am getting ready", "请稍候，正在启动"),
            Self::OutOfOrder => ("Out of order", "暂停服务"),
            Self::AskStaff => ("Please ask our staff. We are sorry.", "非常抱歉，请咨询工作人员。"),
            Self::Other => ("中文", "EN"),
        };
        match language {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }
}
